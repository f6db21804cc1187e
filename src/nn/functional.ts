/** torch.nn.functional: layers as functions, without state. */
export { crossEntropy, linear, nllLoss } from '../ops/functional.js';
export { logSoftmax, relu, sigmoid, silu, softmax, tanh } from '../ops/index.js';
