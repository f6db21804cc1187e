import { backend, type Slab } from '../backend/backend.js';
import { describe, RuntimeError } from './errors.js';

/**
 * Memory of the CPU device. Storages come from slabs and go back to lists by size class: at once when the framework
 * knows that nobody can see them, else when the garbage collector has taken the JavaScript object that stood for them,
 * which is looked at whenever much memory was handed out since the last look. Small storages share chunks and are
 * reclaimed chunk by chunk. A browser tells what the collector took only between turns of the event loop: there the look
 * waits for the next turn, and code that hands out more than a budget in one turn is told how to let another one come.
 */

/** Storages up to this size share chunks. */
const SMALL = 1024;
const CHUNK = 64 * 1024;
const SLAB = 32 * 1024 * 1024;
/** Smallest amount handed out between two looks at what the collector took. */
const BUDGET = 24 * 1024 * 1024;
/** Looks cost as much as filling some megabytes, so among large blocks there is one every few blocks, up to a limit. */
const LARGE_BLOCKS = 6;
const LARGE_BUDGET = 256 * 1024 * 1024;

/** A piece of a slab of one size class. */
export interface Block {
  readonly slab: Slab;
  readonly address: number;
  readonly bytes: number;
  /** Slot of weak tracking, or -1. */
  slot: number;
}

/** A block that small storages are carved from; alive while any of them is. */
export class Chunk {
  offset = 0;
  constructor(readonly block: Block) {}
}

const lists = new Map<number, Block[]>();
const tracked: (Block | undefined)[] = [];
let slab: Slab | undefined;
let slabTop = 0;
let chunk: Chunk | undefined;
let reservedBytes = 0;
let liveBytes = 0;
let peakBytes = 0;
let sinceLook = 0;
let largestSinceLook = 0;
let looks = 0;
/** Most that one turn of the event loop may hand out where only turns free memory. */
let turnBudget = 2 ** 30;
let turn: Promise<void> | undefined;

/** Four classes per power of two keep the waste under a fifth. */
function sizeClass(bytes: number): number {
  const step = 2 ** Math.max(6, Math.floor(Math.log2(bytes)) - 2);
  return Math.ceil(bytes / step) * step;
}

function carve(bytes: number): Block {
  if (bytes > SLAB / 4) {
    const own = backend().newSlab(bytes);
    reservedBytes += bytes;
    return { slab: own, address: own.base, bytes, slot: -1 };
  }
  if (slab === undefined || slabTop + bytes > slab.bytes) {
    slab = backend().newSlab(SLAB);
    reservedBytes += SLAB;
    slabTop = 0;
  }
  const address = slab.base + slabTop;
  slabTop += bytes;
  return { slab, address, bytes, slot: -1 };
}

/** A larger pooled block, not more than twice the size, rather than fresh memory. */
function borrow(bytes: number): Block | undefined {
  let best: Block[] | undefined;
  let size = bytes * 2 + 1;
  for (const [candidate, list] of lists) {
    if (candidate > bytes && candidate < size && list.length > 0) {
      best = list;
      size = candidate;
    }
  }
  return best?.pop();
}

function budget(): number {
  return Math.max(BUDGET, Math.min(LARGE_BLOCKS * largestSinceLook, LARGE_BUDGET));
}

/** Takes a block of at least `bytes`; its contents are whatever was there before. */
export function allocate(bytes: number): Block {
  const size = sizeClass(bytes);
  sinceLook += size;
  if (size > largestSinceLook) largestSinceLook = size;
  let list = lists.get(size);
  let block = list?.pop();
  if (backend().collector.inLaterTurn !== undefined) {
    // Asked for early: what is garbage now is known only after the turn.
    if (sinceLook > Math.min(budget(), turnBudget / 2)) awaitTurn(size, block);
  } else if (block === undefined && sinceLook > Math.max(budget(), (liveBytes - sinceLook) / 2)) {
    reclaim();
    list = lists.get(size);
    block = list?.pop();
  }
  block ??= borrow(size) ?? carve(size);
  liveBytes += block.bytes;
  if (liveBytes > peakBytes) peakBytes = liveBytes;
  return block;
}

/** Gives a block back for reuse; `atOnce` where no collection had to find it, so that it does not hasten the next one. */
export function release(block: Block, atOnce = false): void {
  if (atOnce) sinceLook = Math.max(0, sinceLook - block.bytes);
  if (block.slot >= 0) {
    backend().collector.untrack(block.slot);
    tracked[block.slot] = undefined;
    block.slot = -1;
  }
  liveBytes -= block.bytes;
  const list = lists.get(block.bytes);
  if (list === undefined) lists.set(block.bytes, [block]);
  else list.push(block);
}

/** Gives the block back when the collector takes `holder`. */
export function releaseWith(holder: object, block: Block): void {
  const slot = backend().collector.track(holder);
  block.slot = slot;
  tracked[slot] = block;
}

/** A chunk with room for a small storage. */
export function chunkFor(bytes: number): Chunk {
  if (chunk === undefined || chunk.offset + bytes > CHUNK) {
    chunk = new Chunk(allocate(CHUNK));
    releaseWith(chunk, chunk.block);
  }
  return chunk;
}

export function isSmall(bytes: number): boolean {
  return bytes <= SMALL;
}

function sweep(): void {
  backend().collector.sweep((slot) => {
    const block = tracked[slot];
    if (block === undefined) return;
    tracked[slot] = undefined;
    block.slot = -1;
    release(block);
  });
}

/** Looks at what the collector took; a collection of young objects first, of all where that freed little. */
function reclaim(): void {
  const { collector } = backend();
  const before = liveBytes;
  looks++;
  sweep();
  const enough = sinceLook / 2;
  if (before - liveBytes < enough && collector.collect(true)) sweep();
  if (before - liveBytes < enough && collector.collect(false)) sweep();
  sinceLook = 0;
  largestSinceLook = 0;
}

/** Plans a look; throws where the turn of the event loop that is to end before it has handed out too much. */
function awaitTurn(size: number, taken: Block | undefined): void {
  if (turn === undefined) {
    turn = new Promise((resolve) => {
      backend().collector.inLaterTurn?.(() => {
        turn = undefined;
        looks++;
        sweep();
        sinceLook = 0;
        largestSinceLook = 0;
        resolve();
      });
    });
    return;
  }
  if (sinceLook <= turnBudget) return;
  sinceLook -= size;
  if (taken !== undefined) lists.get(size)?.push(taken);
  throw new RuntimeError(
    `${Math.floor(turnBudget / 2 ** 20)} MiB of tensors were made without a pause, and a browser frees unused ones only ` +
      'between turns of the event loop. Write `for await (const batch of loader)`, or await a read in each step, as in ' +
      '`(await loss.cpu()).item()`; torch.setMemoryBudget(bytes) changes the limit',
  );
}

/** The coming turn of the event loop, where memory waits for it; awaited by what may pause (loaders, awaited reads). */
export function memoryTurn(): Promise<void> | undefined {
  return turn;
}

/**
 * Sets how many bytes of tensors a program may make in one turn of the event loop where unused ones are freed only
 * between turns, as in browsers. Default: 1 GiB. Without effect in Node, which frees them at any time.
 */
export function setMemoryBudget(bytes: number): void {
  if (!(bytes > 0)) throw new RangeError(`setMemoryBudget expects a positive number of bytes, got ${describe(bytes)}`);
  turnBudget = bytes;
}

/** Collects garbage now and takes back all memory that nothing refers to any more. */
export function collectGarbage(): void {
  const { collector } = backend();
  if (collector.collect(false)) sweep();
  sinceLook = 0;
  largestSinceLook = 0;
}

/** What {@link memory} reports, in bytes. */
export interface MemoryReport {
  /** Held by storages that are in use or not yet known to be free. */
  live: number;
  /** Ready for reuse. */
  pooled: number;
  /** Taken from the device in all. */
  reserved: number;
  /** Largest `live` so far. */
  peak: number;
  /** How often the collector's findings were looked at. */
  collections: number;
}

/** Memory of tensors: bytes live, pooled for reuse, and reserved in all. */
export function memory(): MemoryReport {
  let pooled = 0;
  for (const [size, list] of lists) pooled += size * list.length;
  return { live: liveBytes, pooled, reserved: reservedBytes, peak: peakBytes, collections: looks };
}
