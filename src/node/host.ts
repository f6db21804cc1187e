import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { createContext, runInContext, runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { type Backend, installBackend } from '../backend/backend.js';
import { type NativeAddon, NativeBackend } from '../backend/cpu/native.js';
import { THREAD_MAIN, type ThreadData, WasmBackend, WeakRefCollector } from '../backend/cpu/wasm.js';

type CollectorFunction = (options?: { type: 'minor' | 'major'; execution: 'sync' }) => void;

// The flag makes the function available to contexts made afterwards; the running program sees no `gc`.
setFlagsFromString('--expose-gc');
const gc = runInNewContext('typeof gc === "function" ? gc : undefined') as CollectorFunction | undefined;
setFlagsFromString('--no-expose-gc');

const endJobContext = createContext({}, { microtaskMode: 'afterEvaluate' });

function collectFully(): boolean {
  if (gc === undefined) return false;
  // WeakRefs made in the running job keep their targets until it ends; leaving this context ends it.
  runInContext('0', endJobContext);
  gc();
  runInContext('0', endJobContext);
  return true;
}

function collectNative(minor: boolean): boolean {
  if (gc === undefined) return false;
  if (minor) gc({ type: 'minor', execution: 'sync' });
  else gc();
  return true;
}

const built = (path: string) => fileURLToPath(new URL(`../../build/${path}`, import.meta.url));

function threadCount(): number {
  const asked = Number(process.env.TYPETORCH_NUM_THREADS ?? process.env.OMP_NUM_THREADS);
  return Number.isInteger(asked) && asked > 0 ? asked : availableParallelism();
}

function nativeBackend(): Backend | undefined {
  if (process.env.TYPETORCH_NATIVE === '0') return undefined;
  const path = built('native/typetorch.node');
  if (!existsSync(path)) return undefined;
  try {
    const addon = createRequire(import.meta.url)(path) as NativeAddon;
    return new NativeBackend(addon, threadCount(), collectNative);
  } catch (error) {
    console.error(`typetorch: the native kernels do not load (${(error as Error).message.split('\n')[0]})`);
    return undefined;
  }
}

function startThread(workerData: ThreadData): void {
  const source = `(${THREAD_MAIN})(require('node:worker_threads').workerData)`;
  const thread = new Worker(source, { eval: true, workerData, execArgv: [] });
  thread.on('error', (error) => console.error(`typetorch: a thread of the kernels ended (${error.message})`));
  thread.unref();
}

function wasmBackend(): Backend {
  if (Number(process.versions.node.split('.')[0]) < 22) setFlagsFromString('--experimental-wasm-relaxed-simd');
  const relaxed = readFileSync(built('wasm/typetorch.relaxed.wasm'));
  const useRelaxed = process.env.TYPETORCH_ISA !== 'simd' && WebAssembly.validate(relaxed);
  const bytes = useRelaxed ? relaxed : readFileSync(built('wasm/typetorch.simd.wasm'));
  const collector = new WeakRefCollector(collectFully);
  const threads = { threads: threadCount(), mayWait: true, start: startThread };
  return new WasmBackend(new WebAssembly.Module(bytes), useRelaxed ? 'relaxed simd' : 'simd', collector, threads);
}

const native = nativeBackend();
if (native === undefined) {
  const reason =
    process.env.TYPETORCH_NATIVE === '0' ? 'TYPETORCH_NATIVE=0' : 'no native kernels were built on this machine';
  console.error(`typetorch: running on WebAssembly (${reason})`);
}
installBackend(native ?? wasmBackend());
