/**
 * All ops of the `torch` namespace, family by family. Functions, methods, in-place methods, docs and tests are derived
 * from these modules; a new op is a new export in one of them. Ops that PyTorch offers as methods only are in
 * `method-only.ts`, those of `nn.functional` in `functional.ts`.
 */
export * from './arithmetic.js';
export * from './comparison.js';
export * from './copy.js';
export * from './index-select.js';
export * from './matmul.js';
export { multinomial } from './random.js';
export * from './reduce.js';
export { narrow, select } from './slices.js';
export * from './softmax.js';
export { asStrided } from './strided.js';
export * from './unary.js';
export * from './views.js';
