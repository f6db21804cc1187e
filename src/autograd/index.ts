export { type BackwardOptions, backward, type GradOptions, grad } from './engine.js';
export { type GradcheckOptions, gradcheck, gradgradcheck } from './gradcheck.js';
