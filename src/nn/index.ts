/** torch.nn: modules, parameters, losses. */
export * as functional from './functional.js';
export * as init from './init.js';
export { Module, type StateDict } from './module.js';
export { LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Tanh } from './modules/activation.js';
export { Sequential } from './modules/container.js';
export { Flatten } from './modules/flatten.js';
export { Identity, Linear, type LinearOptions } from './modules/linear.js';
export { CrossEntropyLoss, NLLLoss } from './modules/loss.js';
export { Parameter } from './parameter.js';
