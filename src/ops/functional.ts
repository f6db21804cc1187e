/** Ops of `nn.functional` that are no methods of tensors. */
export { linear } from './linear.js';
export { type CrossEntropyOptions, crossEntropy, type NllOptions, nllLoss, type ReductionName } from './loss.js';
