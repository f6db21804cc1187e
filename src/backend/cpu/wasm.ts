import type { Backend, Collector } from '../backend.js';
import { Slab } from '../backend.js';

/** What the wasm module exports (kernels/wasm/entry.cpp). */
interface WasmExports {
  memory: WebAssembly.Memory;
  init(): void;
  frame(): number;
  run(id: number): number;
  kernel_count(): number;
  kernel_name(id: number): number;
  heap_base(): number;
}

const PAGE = 65536;
const FRAME_DOUBLES = 4096;

/** The same kernels in WebAssembly; memory is the module's own, grown slab by slab. */
export class WasmBackend implements Backend {
  readonly device = 'cpu';
  readonly description: string;
  readonly collector: Collector;
  readonly run: (id: number) => number;
  frame: Float64Array;
  private readonly memory: WebAssembly.Memory;
  private readonly frameAddress: number;
  private readonly ids = new Map<string, number>();
  private readonly slabs: Slab[] = [];
  private top: number;

  constructor(module: WebAssembly.Module, variant: string, collector: Collector) {
    const wasm = new WebAssembly.Instance(module, {}).exports as unknown as WasmExports;
    wasm.init();
    this.description = `wasm ${variant}`;
    this.collector = collector;
    this.memory = wasm.memory;
    this.frameAddress = wasm.frame();
    this.frame = new Float64Array(this.memory.buffer, this.frameAddress, FRAME_DOUBLES);
    this.top = Math.ceil(wasm.heap_base() / 64) * 64;
    this.run = wasm.run;
    const bytes = new Uint8Array(this.memory.buffer);
    for (let id = 0; id < wasm.kernel_count(); id++) {
      let end = wasm.kernel_name(id);
      let name = '';
      while (bytes[end] !== 0) name += String.fromCharCode(bytes[end++]);
      this.ids.set(name, id);
    }
  }

  kernelId(name: string): number {
    return this.ids.get(name) ?? -1;
  }

  newSlab(bytes: number): Slab {
    const base = this.top;
    const end = base + bytes;
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) {
      try {
        this.memory.grow(missing);
      } catch {
        throw new Error(
          `out of memory: wasm memory holds ${base} bytes and cannot grow by ${bytes} (it is limited to 4 GiB)`,
        );
      }
      this.frame = new Float64Array(this.memory.buffer, this.frameAddress, FRAME_DOUBLES);
      for (const slab of this.slabs) slab.view(this.memory.buffer, slab.base);
    }
    const slab = new Slab(this.memory.buffer, base, bytes, base);
    this.slabs.push(slab);
    this.top = Math.ceil(end / 64) * 64;
    return slab;
  }

  /** Kernels run on the calling thread, whatever is asked. */
  setThreads(_count: number): void {}

  getThreads(): number {
    return 1;
  }
}

/** Weak tracking in plain JavaScript: `WeakRef`s looked at after a collection. */
export class WeakRefCollector implements Collector {
  private readonly refs: (WeakRef<object> | undefined)[] = [];
  private readonly free: number[] = [];

  /** `collect` runs a full collection and ends the current job, so that dead targets can be told; false if it cannot. */
  constructor(private readonly fullCollection: () => boolean) {}

  track(object: object): number {
    const slot = this.free.pop() ?? this.refs.length;
    this.refs[slot] = new WeakRef(object);
    return slot;
  }

  untrack(slot: number): void {
    this.refs[slot] = undefined;
    this.free.push(slot);
  }

  collect(minor: boolean): boolean {
    return minor ? false : this.fullCollection();
  }

  sweep(dead: (slot: number) => void): void {
    for (let slot = 0; slot < this.refs.length; slot++) {
      const ref = this.refs[slot];
      if (ref !== undefined && ref.deref() === undefined) {
        this.untrack(slot);
        dead(slot);
      }
    }
  }
}
