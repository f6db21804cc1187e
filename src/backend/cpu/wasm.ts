import type { Backend, Collector } from '../backend.js';
import { Slab } from '../backend.js';

/** What the wasm module exports (kernels/wasm/entry.cpp, kernels/wasm/pool.cpp). */
interface WasmExports {
  init(): void;
  frame(): number;
  run(id: number): number;
  kernel_count(): number;
  kernel_name(id: number): number;
  heap_base(): number;
  set_threads(count: number): void;
  set_may_wait(mayWait: number): void;
  thread_bytes(): number;
  __tls_size: WebAssembly.Global;
}

/** How a host runs the threads of the kernels. */
export interface ThreadHost {
  /** Threads to use unless the user asks for another number. */
  readonly threads: number;
  /** Whether the thread that calls kernels may sleep until the others are done; a page's main thread may not. */
  readonly mayWait: boolean;
  /** Starts one thread: a worker that calls {@link THREAD_MAIN} with `data`. Never throws: without it, work takes longer. */
  start(data: ThreadData): void;
}

/** What a thread needs to run kernels: the module, the memory they share, and addresses of its own parts of it. */
export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly stack: number;
  readonly tls: number;
  readonly workspace: number;
}

/** Source text of the function that a thread runs, of {@link ThreadData}; it does not return. */
export const THREAD_MAIN = `({ module, memory, stack, tls, workspace }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory, start_threads() {} } });
  exports.__stack_pointer.value = stack;
  exports.__wasm_init_tls(tls);
  exports.thread_main(workspace);
}`;

const PAGE = 65536;
const FRAME_DOUBLES = 4096;
const INITIAL_PAGES = 128;
const STACK_BYTES = 256 * 1024;

/** As large as the host lets it grow: 4 GiB, or less on small devices. */
function sharedMemory(): { memory: WebAssembly.Memory; maximum: number } {
  for (let maximum = 65536; ; maximum /= 2) {
    try {
      return { memory: new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true }), maximum };
    } catch (error) {
      if (maximum <= 4096) throw error;
    }
  }
}

/** The same kernels in WebAssembly; memory is shared with their threads and grown slab by slab. */
export class WasmBackend implements Backend {
  readonly device = 'cpu';
  readonly description: string;
  readonly collector: Collector;
  readonly run: (id: number) => number;
  frame: Float64Array;
  private readonly wasm: WasmExports;
  private readonly memory: WebAssembly.Memory;
  private readonly maximum: number;
  private readonly frameAddress: number;
  private readonly ids = new Map<string, number>();
  private readonly slabs: Slab[] = [];
  private top: number;
  private threads = 1;

  constructor(
    private readonly module: WebAssembly.Module,
    variant: string,
    collector: Collector,
    private readonly host?: ThreadHost,
  ) {
    const { memory, maximum } = sharedMemory();
    const env = { memory, start_threads: (count: number) => this.startThreads(count) };
    const wasm = new WebAssembly.Instance(module, { env }).exports as unknown as WasmExports;
    wasm.init();
    wasm.set_may_wait(host?.mayWait ? 1 : 0);
    this.description = `wasm ${variant}`;
    this.collector = collector;
    this.wasm = wasm;
    this.memory = memory;
    this.maximum = maximum;
    this.frameAddress = wasm.frame();
    this.frame = new Float64Array(memory.buffer, this.frameAddress, FRAME_DOUBLES);
    this.top = Math.ceil(wasm.heap_base() / 64) * 64;
    this.run = wasm.run;
    const bytes = new Uint8Array(memory.buffer);
    for (let id = 0; id < wasm.kernel_count(); id++) {
      let end = wasm.kernel_name(id);
      let name = '';
      while (bytes[end] !== 0) name += String.fromCharCode(bytes[end++]);
      this.ids.set(name, id);
    }
    this.setThreads(host?.threads ?? 1);
  }

  kernelId(name: string): number {
    return this.ids.get(name) ?? -1;
  }

  newSlab(bytes: number): Slab {
    const base = this.reserve(bytes);
    const slab = new Slab(this.memory.buffer, base, bytes, base);
    this.slabs.push(slab);
    return slab;
  }

  /** Address of `bytes` of fresh memory. */
  private reserve(bytes: number): number {
    const base = this.top;
    const end = base + bytes;
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) {
      try {
        this.memory.grow(missing);
      } catch {
        const limit = (this.maximum * PAGE) / 2 ** 30;
        throw new Error(
          `out of memory: wasm memory holds ${base} bytes and cannot grow by ${bytes} (it is limited to ${limit} GiB)`,
        );
      }
      this.frame = new Float64Array(this.memory.buffer, this.frameAddress, FRAME_DOUBLES);
      for (const slab of this.slabs) slab.view(this.memory.buffer, slab.base);
    }
    this.top = Math.ceil(end / 64) * 64;
    return base;
  }

  /** Called by the kernels when work first asks for more threads. */
  private startThreads(count: number): void {
    const workspaceBytes = this.wasm.thread_bytes();
    const tlsBytes = Math.ceil((this.wasm.__tls_size.value as number) / 64) * 64;
    for (let i = 0; i < count; i++) {
      const workspace = this.reserve(workspaceBytes + tlsBytes + STACK_BYTES);
      const tls = workspace + workspaceBytes;
      const stack = tls + tlsBytes + STACK_BYTES;
      this.host?.start({ module: this.module, memory: this.memory, stack, tls, workspace });
    }
  }

  setThreads(count: number): void {
    if (this.host === undefined) return;
    this.threads = count;
    this.wasm.set_threads(count);
  }

  getThreads(): number {
    return this.threads;
  }
}

/** Weak tracking in plain JavaScript: `WeakRef`s looked at after a collection, or between turns of the event loop. */
export class WeakRefCollector implements Collector {
  private readonly refs: (WeakRef<object> | undefined)[] = [];
  private readonly free: number[] = [];

  /**
   * @param fullCollection runs a full collection and ends the current job, so that dead targets can be told
   * @param inLaterTurn where the host has no such collection: see {@link Collector.inLaterTurn}
   */
  constructor(
    private readonly fullCollection: () => boolean,
    readonly inLaterTurn?: (then: () => void) => void,
  ) {}

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
