import { kernel, runKernel } from '../backend/backend.js';
import { canCast, type DType, dtypes, float32, getDefaultDtype, int64, promote } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { broadcastShapes, isContiguous, numelOf, type Shape, sameShape } from '../core/shape.js';
import { empty, frame, scalarAddress, Tensor, view } from '../core/tensor.js';

/** Where the dimensions begin in the frame of pointwise kernels (kernels/pointwise.h). */
const DIMS = 16;

/**
 * Runs a pointwise kernel over `out` and its inputs, all broadcast to `out`'s shape. Inputs have the kernel's dtype
 * already; a number has become the address of one element. The kernel's scalar parameters are in the frame before.
 */
export function launch(key: number, out: Tensor, inputs: readonly (Tensor | number)[]): number {
  if (out.count === 0) return 0;
  const f = frame();
  const { shape } = out;
  const n = inputs.length;
  f[1] = out.address;
  let flat = out.isContiguous();
  for (let k = 0; k < n; k++) {
    const input = inputs[k];
    if (typeof input === 'number') {
      f[2 + k] = input;
    } else {
      f[2 + k] = input.address;
      flat &&= input.count === 1 || (sameShape(input.shape, shape) && input.isContiguous());
    }
  }
  if (flat) {
    f[0] = 1;
    f[DIMS] = out.count;
    f[DIMS + 1] = 1;
    for (let k = 0; k < n; k++) {
      const input = inputs[k];
      f[DIMS + 2 + k] = typeof input === 'number' || input.count === 1 ? 0 : 1;
    }
    return runKernel(key);
  }
  writeDims(f, out, inputs);
  return runKernel(key);
}

/** {@link launch} for row-major operands of `out`'s shape. */
export function launchFlat(key: number, out: Tensor, a: Tensor, b?: Tensor): number {
  if (out.count === 0) return 0;
  const f = frame();
  f[0] = 1;
  f[1] = out.address;
  f[2] = a.address;
  f[DIMS] = out.count;
  f[DIMS + 1] = 1;
  f[DIMS + 2] = 1;
  if (b !== undefined) {
    f[3] = b.address;
    f[DIMS + 3] = 1;
  }
  return runKernel(key);
}

function strideAt(input: Tensor | number, shape: Shape, d: number): number {
  if (typeof input === 'number') return 0;
  const own = d - (shape.length - input.shape.length);
  return own < 0 || input.shape[own] === 1 ? 0 : input.strides[own];
}

/** Dimensions by falling output stride, neighbours merged where every operand allows it. */
function writeDims(f: Float64Array, out: Tensor, inputs: readonly (Tensor | number)[]): void {
  const { shape, strides } = out;
  const order: number[] = [];
  for (let d = 0; d < shape.length; d++) if (shape[d] !== 1) order.push(d);
  order.sort((a, b) => strides[b] - strides[a]);
  const operands: (Tensor | number)[] = [out, ...inputs];
  const sizes: number[] = [];
  const steps: number[][] = operands.map(() => []);
  for (const d of order) {
    const last = sizes.length - 1;
    const merges =
      last >= 0 && operands.every((operand, k) => steps[k][last] === strideAt(operand, shape, d) * shape[d]);
    if (merges) {
      sizes[last] *= shape[d];
      operands.forEach((operand, k) => {
        steps[k][last] = strideAt(operand, shape, d);
      });
    } else {
      sizes.push(shape[d]);
      operands.forEach((operand, k) => {
        steps[k].push(strideAt(operand, shape, d));
      });
    }
  }
  if (sizes.length === 0) {
    sizes.push(1);
    for (const list of steps) list.push(0);
  }
  const nd = sizes.length;
  f[0] = nd;
  for (let d = 0; d < nd; d++) {
    f[DIMS + d] = sizes[d];
    for (let k = 0; k < operands.length; k++) f[DIMS + nd * (1 + k) + d] = steps[k][d];
  }
}

const castKernels = dtypes.map((from) => dtypes.map((to) => kernel(`cast_${from.suffix}_${to.suffix}`)));

/** Writes `from`, broadcast and converted, into `to`. */
export function copyInto(to: Tensor, from: Tensor): void {
  launch(castKernels[from.dtype.index][to.dtype.index], to, [from]);
}

/** Writes one number into every element. */
export function fillWith(to: Tensor, value: number): void {
  launch(castKernels[to.dtype.index][to.dtype.index], to, [scalarAddress(value, to.dtype)]);
}

/** The tensor in another dtype, outside autograd; itself where it has the dtype. */
export function castTo(tensor: Tensor, dtype: DType): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const out = empty(tensor.shape, dtype);
  copyInto(out, tensor);
  return out;
}

/** The values in row-major order, outside autograd; itself where they lie so. */
export function contiguousValues(tensor: Tensor): Tensor {
  if (tensor.isContiguous()) return tensor;
  const out = empty(tensor.shape, tensor.dtype);
  copyInto(out, tensor);
  return out;
}

/** PyTorch's dtype for a mix of tensors and numbers: tensors with dimensions outrank 0-d ones, those outrank numbers, within a category. */
export function resultType(...inputs: readonly (Tensor | number | boolean)[]): DType {
  let dimensioned: DType | undefined;
  let scalarTensor: DType | undefined;
  let number: DType | undefined;
  for (const input of inputs) {
    if (typeof input === 'boolean') number = number === undefined ? dtypes[0] : number;
    else if (typeof input === 'number') {
      const d = Number.isInteger(input) ? int64 : getDefaultDtype();
      number = number === undefined ? d : promote(number, d);
    } else if (input.shape.length > 0) {
      dimensioned = dimensioned === undefined ? input.dtype : promote(dimensioned, input.dtype);
    } else {
      scalarTensor = scalarTensor === undefined ? input.dtype : promote(scalarTensor, input.dtype);
    }
  }
  const rank = { bool: 0, integer: 1, float: 2 };
  const outranks = (high: DType | undefined, low: DType | undefined): DType | undefined => {
    if (high === undefined) return low;
    if (low === undefined) return high;
    return rank[low.category] > rank[high.category] ? promote(high, low) : high;
  };
  return outranks(outranks(dimensioned, scalarTensor), number) ?? float32;
}

/** The shape all operands broadcast to. */
export function commonShape(inputs: readonly (Tensor | number)[]): Shape {
  let shape: Shape | undefined;
  for (const input of inputs) {
    if (typeof input === 'number') continue;
    shape = shape === undefined ? input.shape : broadcastShapes(shape, input.shape);
  }
  return shape ?? [];
}

/** A fresh result that keeps the order of dimensions in memory which all tensors of its shape share, as PyTorch does. */
export function resultFor(shape: Shape, dtype: DType, inputs: readonly (Tensor | number)[]): Tensor {
  let strides: Shape | undefined;
  for (const input of inputs) {
    if (typeof input === 'number' || !sameShape(input.shape, shape)) continue;
    if (isContiguous(shape, input.strides) || (strides !== undefined && !sameShape(strides, input.strides))) {
      return empty(shape, dtype);
    }
    strides = input.strides;
  }
  const out = empty(shape, dtype);
  if (strides === undefined || !isDense(shape, strides)) return out;
  return new Tensor(out.storage, shape, strides, 0, dtype);
}

/** Whether the elements fill one stretch of memory, each place once, in whatever order of dimensions. */
export function isDense(shape: Shape, strides: Shape): boolean {
  const order = shape.map((_, d) => d).filter((d) => shape[d] !== 1);
  order.sort((a, b) => strides[a] - strides[b]);
  let step = 1;
  for (const d of order) {
    if (strides[d] !== step) return false;
    step *= shape[d];
  }
  return numelOf(shape) > 0;
}

/** Checks what an in-place op may do to its first argument, before anything is written. */
export function checkInPlace(name: string, self: Tensor, shape: Shape, dtype: DType): void {
  if (!sameShape(shape, self.shape)) {
    throw new RuntimeError(
      `${name}(): output with shape [${self.shape.join(', ')}] doesn't match the broadcast shape [${shape.join(', ')}]`,
    );
  }
  if (!canCast(dtype, self.dtype)) {
    throw new RuntimeError(
      `${name}(): result type ${dtype.title} can't be cast to the desired output type ${self.dtype.title}`,
    );
  }
  for (let d = 0; d < self.shape.length; d++) {
    if (self.strides[d] === 0 && self.shape[d] > 1) {
      throw new RuntimeError(
        `${name}(): unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.`,
      );
    }
  }
}

/** Refuses to write over elements that are still to be read through another view of the same memory, as PyTorch does. */
export function checkOverlap(name: string, self: Tensor, inputs: readonly (Tensor | number)[]): void {
  for (const input of inputs) {
    if (typeof input === 'number' || input === self || input.storage !== self.storage || self.count === 0) continue;
    if (input.offset === self.offset && sameShape(input.shape, self.shape) && sameShape(input.strides, self.strides))
      continue;
    const end = (t: Tensor): number => t.shape.reduce((last, size, d) => last + (size - 1) * t.strides[d], t.offset);
    if (end(input) < self.offset || end(self) < input.offset) continue;
    throw new RuntimeError(
      `${name}(): unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.`,
    );
  }
}

/** Another view of a tensor's memory, which knows its base. */
export function aliasOf(self: Tensor, shape: Shape, strides: Shape, offset = self.offset): Tensor {
  const out = view(self, shape, strides, offset);
  out.base = self.base ?? self;
  out.baseHistory = out.base.historyVersion;
  return out;
}
