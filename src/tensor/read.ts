import { bool, getDefaultDtype, int64, type TypedArray } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { contiguousValues } from '../ops/iterate.js';
import { formatTensor, type Printable } from './format.js';

/** Reading values out of tensors, and printing. Synchronous on the CPU. */

export type Nested<T> = T | Nested<T>[];

/** The one element as a number (a boolean for bool tensors). */
export function item(self: Tensor): number {
  if (self.count !== 1) throw new RuntimeError(`a Tensor with ${self.count} elements cannot be converted to Scalar`);
  const { array, start } = self.elements();
  return toScalar(array[start], self) as number;
}

function toScalar(value: number | bigint, self: Tensor): number | boolean {
  if (self.dtype === bool) return value !== 0;
  const number = Number(value);
  if (self.dtype === int64 && !Number.isSafeInteger(number)) {
    throw new RuntimeError(
      `${value} does not fit a number exactly; read int64 tensors of such values by toTypedArray()`,
    );
  }
  return number;
}

/** Nested lists of numbers (booleans for bool tensors); one number for 0-d tensors. */
export function tolist(self: Tensor): Nested<number> {
  const { array, start } = self.elements();
  const walk = (d: number, at: number): Nested<number> => {
    if (d === self.ndim) return toScalar(array[at], self) as number;
    const out: Nested<number>[] = [];
    for (let i = 0; i < self.shape[d]; i++) out.push(walk(d + 1, at + i * self.strides[d]));
    return out;
  };
  return walk(0, start);
}

/** A copy of the values in row-major order, in the typed array of the dtype. */
export function toTypedArray(self: Tensor): TypedArray {
  const flat = contiguousValues(self);
  const { array, start } = flat.elements();
  return array.slice(start, start + self.count);
}

/** What the printer reads of a tensor. */
export function printable(self: Tensor): Printable {
  const { array, start } = self.elements();
  return {
    shape: self.shape,
    dtype: self.dtype.name,
    strides: self.strides,
    offset: start,
    at: (position: number) => array[position],
    requiresGrad: self.requiresGrad,
    gradFn: self.gradFn?.name,
    defaultDtype: getDefaultDtype().name,
  };
}

/** What PyTorch's `print(tensor)` shows. */
export function printed(self: Tensor): string {
  return formatTensor(printable(self));
}
