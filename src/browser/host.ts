import { relaxed, simd } from '../../build/wasm/embedded.js';
import { installBackend } from '../backend/backend.js';
import { THREAD_MAIN, type ThreadData, type ThreadHost, WasmBackend, WeakRefCollector } from '../backend/cpu/wasm.js';

/** Runs the kernels of pages and workers: WebAssembly from within the package, compiled as the package is imported. */

/** More threads than this gain little and cost 4 MiB each. */
const MOST_THREADS = 16;

const isPage = typeof document !== 'undefined';

/** From a blob, so that no bundler has to find a file; where a content security policy forbids it, one thread does all. */
function startThread(data: ThreadData): void {
  try {
    const source = `onmessage = ({ data }) => (${THREAD_MAIN})(data)`;
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    const thread = new Worker(url, { name: 'typetorch' });
    thread.onerror = (event) => event.preventDefault();
    thread.postMessage(data);
  } catch {
    // The kernels count a thread only once it runs.
  }
}

/** Memory can be shared with workers only where the page is cross-origin isolated. */
function threads(): ThreadHost | undefined {
  if (!globalThis.crossOriginIsolated || typeof Worker === 'undefined') return undefined;
  return { threads: Math.min(navigator.hardwareConcurrency, MOST_THREADS), mayWait: !isPage, start: startThread };
}

function compile(): { module: WebAssembly.Module; variant: string } {
  try {
    return { module: new WebAssembly.Module(relaxed()), variant: 'relaxed simd' };
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    return { module: new WebAssembly.Module(simd()), variant: 'simd' };
  }
}

/** Untouched, it costs no memory; the collector only sees its size, and that it is garbage. */
const PRESSURE = 128 * 2 ** 20;
const MOST_TRIES = 8;
/** Moving the contents is how to free a buffer at once; older browsers wait for their collector. */
type Transferable = ArrayBuffer & { transfer?(bytes: number): ArrayBuffer };

/** Objects that are dropped to see whether the collector takes them. */
const canaries: { held: object | undefined; ref: WeakRef<object> }[] = [];
const CANARIES = 8 * MOST_TRIES;

/** Collections of young objects take young canaries alone, so these are as old as those of several looks ago. */
function dropCanaries(): WeakRef<object>[] {
  const dropped = canaries.splice(0, MOST_TRIES);
  while (canaries.length < CANARIES) {
    const held = {};
    canaries.push({ held, ref: new WeakRef(held) });
  }
  return dropped.map(({ ref }) => ref);
}
dropCanaries();

/**
 * Runs `then` in a task of its own: only then does the browser admit which objects are gone. Its collector does not know
 * how much memory the small objects of tensors stand for, so large buffers show it that a collection is worthwhile. A
 * canary a try tells whether there was one; asking it keeps it alive, hence another one for each.
 */
function inLaterTurn(then: () => void): void {
  const dropped = dropCanaries();
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    const buffers: ArrayBuffer[] = [];
    try {
      for (let i = 0; i < dropped.length && dropped[i].deref() !== undefined; i++)
        buffers.push(new ArrayBuffer(PRESSURE));
    } catch {
      // Too large for this device, which therefore collects early by itself.
    }
    for (const buffer of buffers as Transferable[]) buffer.transfer?.(0);
    then();
  };
  port2.postMessage(undefined);
}

const { module, variant } = compile();
installBackend(new WasmBackend(module, variant, new WeakRefCollector(() => false, inLaterTurn), threads()));
