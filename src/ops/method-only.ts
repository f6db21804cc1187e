/** Ops that PyTorch offers as methods and not as functions of the `torch` namespace. */
export * from './mutation.js';
export { bernoulli_, exponential_, normal_, random_, uniform_ } from './random.js';
export { slice } from './slices.js';
