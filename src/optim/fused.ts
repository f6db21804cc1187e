import { kernel, runKernel } from '../backend/backend.js';
import { type DType, float32, float64 } from '../core/dtype.js';
import { NotImplementedError } from '../core/errors.js';
import { isContiguous } from '../core/shape.js';
import { frame, type Tensor } from '../core/tensor.js';
import { contiguousValues } from '../ops/iterate.js';

/** Calls of the optimizers' kernels, which update many tensors at once (frames: kernels/optim.cpp). */

const FIRST_ENTRY = 16;
const FRAME_DOUBLES = 4096;

/** One parameter with the tensors that its update reads and writes. */
export interface Entry {
  param: Tensor;
  /** Contiguous, like the parameter: gradient, then the optimizer's state. */
  tensors: (Tensor | null)[];
}

/** The two kernels of an optimizer. */
export function fusedKernels(name: string): (dtype: DType) => number {
  const keys = [kernel(`${name}_f32`), kernel(`${name}_f64`)];
  return (dtype) => {
    if (dtype !== float32 && dtype !== float64)
      throw new NotImplementedError(`${name} is not implemented for ${dtype}`);
    return keys[dtype === float32 ? 0 : 1];
  };
}

/** The gradient in the parameter's layout and dtype. */
export function gradientOf(param: Tensor): Tensor {
  return contiguousValues(param.gradient as Tensor);
}

/** Runs a kernel with `settings` at the head of the frame over all entries, as many per call as the frame holds. */
export function updateFused(key: number, settings: readonly number[], entries: readonly Entry[]): void {
  if (entries.length === 0) return;
  const width = 2 + entries[0].tensors.length;
  const most = Math.floor((FRAME_DOUBLES - FIRST_ENTRY) / width);
  for (let from = 0; from < entries.length; from += most) {
    const part = entries.slice(from, from + most);
    const f = frame();
    f[0] = part.length;
    settings.forEach((value, i) => {
      f[1 + i] = value;
    });
    let at = FIRST_ENTRY;
    for (const { param, tensors } of part) {
      f[at++] = param.count;
      f[at++] = param.address;
      for (const tensor of tensors) f[at++] = tensor === null ? 0 : tensor.address;
    }
    runKernel(key);
  }
  for (const { param } of entries) param.storage.version++;
}

/** Kernels update parameters where they lie, so those must be contiguous. */
export function checkLayout(name: string, param: Tensor): void {
  if (!isContiguous(param.shape, param.strides)) {
    throw new NotImplementedError(`${name}: parameters must be contiguous, got strides [${param.strides.join(', ')}]`);
  }
}
