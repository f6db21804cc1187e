export { type BackwardOptions, backward, type GradOptions, grad } from './engine.js';
export { gradcheck, type GradcheckOptions, gradgradcheck } from './gradcheck.js';
