/** The `torch` namespace: `import * as torch from 'typetorch'`. */
import './tensor/methods.js';

export * as autograd from './autograd/index.js';
export { enableGrad, inferenceMode, isGradEnabled, noGrad, setGradEnabled } from './autograd/modes.js';
export { Device } from './core/device.js';
export {
  bool,
  canCast,
  DType as dtype,
  type DTypeLike,
  float32,
  float32 as float,
  float64,
  float64 as double,
  getDefaultDtype,
  int32,
  int32 as int,
  int64,
  int64 as long,
  promote as promoteTypes,
  setDefaultDtype,
  uint8,
} from './core/dtype.js';
export { IndexError, NotImplementedError, RuntimeError, ValueError } from './core/errors.js';
export { Generator } from './core/generator.js';
export { collectGarbage, type MemoryReport, memory, setMemoryBudget } from './core/memory.js';
export type { Shape } from './core/shape.js';
export { Tensor } from './core/tensor.js';
export * as nn from './nn/index.js';
export { equal } from './ops/comparison.js';
export * from './ops/index.js';
export { resultType } from './ops/iterate.js';
export * as optim from './optim/index.js';
export * from './tensor/create.js';
export { backendName, cuda, device, getNumThreads, setNumThreads, tidy, version } from './tensor/environment.js';
export { getPrintOptions, setPrintOptions } from './tensor/format.js';
export { type Index, Slice, slice } from './tensor/indexing.js';
