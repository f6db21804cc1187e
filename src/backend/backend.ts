/**
 * What a device must offer. Nothing below this line knows tensors: a backend hands out memory by address
 * and runs kernels by number, with their arguments in one shared frame of doubles.
 */
export interface Backend {
  /** Name of the device that tensors report, such as `cpu`. */
  readonly device: string;
  /** What runs the kernels, such as `native avx512` or `wasm relaxed simd`. */
  readonly description: string;
  /** Arguments of the next kernel: addresses, sizes and strides (in elements), scalars. */
  readonly frame: Float64Array;
  /** Kernels by name; the number goes to {@link Backend.run}. -1 where the backend lacks the kernel. */
  kernelId(name: string): number;
  /** Runs a kernel over the frame. 0 means success; other values are the kernel's own. */
  run(id: number): number;
  /** A fresh, zeroed region of device memory. */
  newSlab(bytes: number): Slab;
  /** Largest number of threads a kernel may use. */
  setThreads(count: number): void;
  getThreads(): number;
  /** Weak tracking of JavaScript objects that stand for device memory; see `core/memory.ts`. */
  readonly collector: Collector;
}

/** Tells which tracked objects the garbage collector has taken, in synchronous code too. */
export interface Collector {
  /** Watches `object` weakly and returns its slot. */
  track(object: object): number;
  /** Stops watching a slot, which may be handed out again. */
  untrack(slot: number): void;
  /** Asks for a garbage collection: `minor` looks at young objects only. False where the host offers none. */
  collect(minor: boolean): boolean;
  /** Calls `dead` with each slot whose object is gone. */
  sweep(dead: (slot: number) => void): void;
  /**
   * Only where {@link collect} can do nothing (browsers tell what died between turns of the event loop alone):
   * calls `then` in a later turn, after a collection.
   */
  readonly inLaterTurn?: (then: () => void) => void;
}

/** A region of device memory with JavaScript views over it (host-visible devices only). */
export class Slab {
  readonly base: number;
  readonly bytes: number;
  f32!: Float32Array;
  f64!: Float64Array;
  i64!: BigInt64Array;
  i32!: Int32Array;
  u8!: Uint8Array;

  constructor(buffer: ArrayBufferLike, byteOffset: number, bytes: number, base: number) {
    this.base = base;
    this.bytes = bytes;
    this.view(buffer, byteOffset);
  }

  /** Makes the views anew, after the buffer behind them was replaced. */
  view(buffer: ArrayBufferLike, byteOffset: number): void {
    const b = buffer as ArrayBuffer;
    this.f32 = new Float32Array(b, byteOffset, this.bytes >> 2);
    this.f64 = new Float64Array(b, byteOffset, this.bytes >> 3);
    this.i64 = new BigInt64Array(b, byteOffset, this.bytes >> 3);
    this.i32 = new Int32Array(b, byteOffset, this.bytes >> 2);
    this.u8 = new Uint8Array(b, byteOffset, this.bytes);
  }
}

let current: Backend | undefined;

/** The backend that new tensors live on. */
export function backend(): Backend {
  if (current === undefined) throw new Error('typetorch: no backend is installed; import the package by its name');
  return current;
}

/** Installs the backend of this process; the entry for each host calls it once. */
export function installBackend(value: Backend): void {
  if (current !== undefined) throw new Error(`typetorch: a backend is installed already (${current.description})`);
  current = value;
  for (let key = 0; key < names.length; key++) ids[key] = value.kernelId(names[key]);
}

const names: string[] = [];
const ids: number[] = [];
const keys = new Map<string, number>();

/** Number of a kernel name, the same for all backends, to be kept by the op that uses it. */
export function kernel(name: string): number {
  let key = keys.get(name);
  if (key === undefined) {
    key = names.length;
    keys.set(name, key);
    names.push(name);
    ids.push(current === undefined ? -1 : current.kernelId(name));
  }
  return key;
}

/** Whether the installed backend has the kernel. */
export function hasKernel(key: number): boolean {
  return ids[key] >= 0;
}

/** Runs a kernel over the frame as it stands. */
export function runKernel(key: number): number {
  const id = ids[key];
  if (id < 0) throw new Error(`${backend().description} has no kernel ${names[key]}`);
  return current!.run(id);
}

/** Writes the arguments into the frame and runs the kernel. */
export function callKernel(key: number, ...args: number[]): number {
  const frame = current!.frame;
  for (let i = 0; i < args.length; i++) frame[i] = args[i];
  return runKernel(key);
}
