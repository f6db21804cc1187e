// TensorFlow.js on its WebAssembly back end, in Node and in a page.
import * as module from '@tensorflow/tfjs';
import * as wasmModule from '@tensorflow/tfjs-backend-wasm';

// In Node these are CommonJS modules, in a bundle ES modules.
export const tf = module.default ?? module;
const wasm = wasmModule.default ?? wasmModule;

export async function useWasm() {
  let threads = 1;
  if (typeof document === 'undefined') {
    const folder = new URL('node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url);
    wasm.setWasmPaths(decodeURIComponent(folder.pathname));
  } else {
    wasm.setWasmPaths('/tfjs-backend-wasm/');
    if (globalThis.crossOriginIsolated) {
      threads = navigator.hardwareConcurrency;
      wasm.setThreadsCount(threads);
    }
  }
  await tf.setBackend('wasm');
  await tf.ready();
  // What was asked for: the library's own count says 1 whatever runs.
  return { simd: await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'), threads };
}
