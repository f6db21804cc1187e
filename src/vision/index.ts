/** `typetorch/vision`: image data sets and transforms (torchvision). */
import '../tensor/methods.js';

export * as datasets from './datasets.js';
export { type Fetch, type HostFiles, setHostFiles } from './host.js';
export * as transforms from './transforms.js';
