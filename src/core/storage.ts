import type { Slab } from '../backend/backend.js';
import { allocate, type Block, type Chunk, chunkFor, isSmall, release, releaseWith } from './memory.js';

/**
 * Memory of one or more tensors (views share it). `refs` counts holders inside the framework only: values saved for
 * backward and gradients on their way. A storage that no user code has seen is given back when that count falls to 0.
 */
export class Storage {
  readonly address: number;
  readonly bytes: number;
  readonly slab: Slab;
  /** Raised by each in-place change, so that backward can tell a saved value was overwritten. */
  version = 0;
  refs = 0;
  /** User code may hold a tensor of this storage: only the collector, or `dispose`, may free it. */
  visible = true;
  /** Marked as what the innermost open scope returns. */
  result = false;
  /** The chunk of a small storage: held so that it stays alive with its storages. */
  readonly home: Chunk | undefined;
  block: Block | undefined;
  /** Index of the scope it was made in, 0 outside all scopes. */
  scope = 0;

  constructor(bytes: number) {
    this.bytes = bytes;
    if (isSmall(bytes)) {
      const size = (bytes + 15) & ~15;
      const home = chunkFor(size);
      this.home = home;
      this.block = undefined;
      this.slab = home.block.slab;
      this.address = home.block.address + home.offset;
      home.offset += size;
    } else {
      const block = allocate(bytes);
      this.home = undefined;
      this.block = block;
      this.slab = block.slab;
      this.address = block.address;
      if (depth > 0) {
        this.visible = false;
        this.scope = depth;
        scopes.push(this);
      } else {
        releaseWith(this, block);
      }
    }
  }

  /** Gives the memory back now. Any later use of its tensors is an error. */
  free(): void {
    const block = this.block;
    if (block === undefined) return;
    this.block = undefined;
    release(block, true);
  }

  /** True after the memory was given back. */
  get freed(): boolean {
    return this.block === undefined && this.home === undefined;
  }

  /** One more holder inside the framework. */
  retain(): void {
    this.refs++;
  }

  /** One holder fewer; frees what the user cannot see. Inside an open scope the scope's end decides. */
  drop(): void {
    if (--this.refs === 0 && !this.visible && this.scope === 0) this.free();
  }

  /** From now on user code may see this storage. */
  reveal(): void {
    this.visible = true;
  }

  /** As {@link drop}, for a caller that knows that the open scope needs the storage no more. */
  dropNow(): void {
    if (--this.refs === 0 && !this.visible && !this.result) this.free();
  }
}

/** Storages made inside the open scopes, in order; a scope remembers where its part begins. */
const scopes: Storage[] = [];
let depth = 0;

/** Opens a scope: storages made until it closes are temporaries unless something keeps them. */
export function openScope(): number {
  depth++;
  return scopes.length;
}

/**
 * Closes a scope opened at `mark`. What nobody holds is freed now. Results (`result`), what was shown to user code
 * (`visible`) and what the framework holds (`refs`) outlive it, in the scope around this one if there is one.
 */
export function closeScope(mark: number): void {
  depth--;
  let kept = mark;
  for (let i = mark; i < scopes.length; i++) {
    const storage = scopes[i];
    if (storage.block === undefined) continue;
    const isResult = storage.result;
    storage.result = false;
    if (!isResult && !storage.visible && storage.refs === 0) {
      storage.free();
    } else if (depth > 0) {
      storage.scope = depth;
      scopes[kept++] = storage;
    } else {
      storage.scope = 0;
      if (isResult) storage.visible = true;
      releaseWith(storage, storage.block);
    }
  }
  scopes.length = kept;
}

/** Runs user code (a hook, a custom backward): what it makes is its own, whatever scope is open around it. */
export function outsideScopes<R>(body: () => R): R {
  const saved = depth;
  depth = 0;
  try {
    return body();
  } finally {
    depth = saved;
  }
}
