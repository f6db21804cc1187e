/** Written by tools/embed-wasm.mjs: the bytes of the kernels in WebAssembly. */
declare module '*/embedded.js' {
  export function relaxed(): Uint8Array<ArrayBuffer>;
  export function simd(): Uint8Array<ArrayBuffer>;
}
