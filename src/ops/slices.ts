import { dtypes } from '../core/dtype.js';
import { IndexError, RuntimeError } from '../core/errors.js';
import { type Shape, showShape, wrapDim } from '../core/shape.js';
import { empty, type Tensor, view as viewOf } from '../core/tensor.js';
import { aliasOf, copyInto, fillWith } from './iterate.js';
import { checkTensor, type Op, op } from './op.js';

/** Views of a part of a dimension. */

const kind = { kind: 'view', dtypes } as const;

export const select: Op<(self: Tensor, dim: number, index: number) => Tensor> = op({
  ...kind,
  name: 'select',
  doc: 'The slice at one index of a dimension, which goes away',
  forward(self: Tensor, dim: number, index: number): Tensor {
    checkTensor('select', 'input', self);
    if (self.ndim === 0) throw new IndexError('select() cannot be applied to a 0-dim tensor.');
    const d = wrapDim(dim, self.ndim);
    const size = self.shape[d];
    if (!Number.isInteger(index) || index < -size || index >= size) {
      throw new IndexError(
        `select(): index ${index} out of range for tensor of size ${showShape(self.shape)} at dimension ${d}`,
      );
    }
    const i = index < 0 ? index + size : index;
    const shape = self.shape.filter((_, k) => k !== d);
    const strides = self.strides.filter((_, k) => k !== d);
    return aliasOf(self, shape, strides, self.offset + i * self.strides[d]);
  },
  derivative: {
    0: (grad, [self, dim, index]) => selectBackward(grad, self.shape, dim, index, index + 1, 1, true),
  },
  samples: [
    { args: [{ shape: [3, 4] }, { value: 0 }, { value: 1 }] },
    { args: [{ shape: [3, 4] }, { value: -1 }, { value: -2 }] },
  ],
  errors: [
    {
      args: [{ shape: [3] }, { value: 0 }, { value: 3 }],
      message: 'select(): index 3 out of range for tensor of size [3] at dimension 0',
    },
  ],
});

export const narrow: Op<(self: Tensor, dim: number, start: number, length: number) => Tensor> = op({
  ...kind,
  name: 'narrow',
  doc: 'The part of a dimension that begins at start and has length elements',
  forward(self: Tensor, dim: number, start: number, length: number): Tensor {
    checkTensor('narrow', 'input', self);
    if (self.ndim === 0) throw new RuntimeError('narrow() cannot be applied to a 0-dim tensor.');
    const d = wrapDim(dim, self.ndim);
    const size = self.shape[d];
    if (length < 0) throw new RuntimeError('narrow(): length must be non-negative.');
    const from = start < 0 ? start + size : start;
    if (start < -size || start > size) {
      throw new IndexError(`start out of range (expected to be in range of [${-size}, ${size}], but got ${start})`);
    }
    if (from + length > size)
      throw new RuntimeError(`start (${from}) + length (${length}) exceeds dimension size (${size}).`);
    return aliasOf(self, self.shape.with(d, length), self.strides, self.offset + from * self.strides[d]);
  },
  derivative: {
    0: (grad, [self, dim, start, length]) => {
      const from = start < 0 ? start + self.shape[wrapDim(dim, self.shape.length)] : start;
      return selectBackward(grad, self.shape, dim, from, from + length, 1, false);
    },
  },
  samples: [{ args: [{ shape: [4, 3] }, { value: 0 }, { value: 1 }, { value: 2 }] }],
  errors: [
    {
      args: [{ shape: [4] }, { value: 0 }, { value: 3 }, { value: 2 }],
      message: 'start (3) + length (2) exceeds dimension size (4).',
    },
  ],
});

export const slice: Op<
  (self: Tensor, dim?: number, start?: number | null, end?: number | null, step?: number) => Tensor
> = op({
  ...kind,
  name: 'slice',
  torch: 'ops.aten.slice',
  doc: "Every step-th element of a dimension from start to before end, with Python's rules for bounds",
  forward(self: Tensor, dim = 0, start: number | null = null, end: number | null = null, step = 1): Tensor {
    checkTensor('slice', 'input', self);
    if (self.ndim === 0) throw new RuntimeError('slice() cannot be applied to a 0-dim tensor.');
    const d = wrapDim(dim, self.ndim);
    const [from, to] = sliceBounds(self.shape[d], start, end, step);
    const length = Math.max(0, Math.ceil((to - from) / step));
    return aliasOf(
      self,
      self.shape.with(d, length),
      self.strides.with(d, self.strides[d] * step),
      self.offset + from * self.strides[d],
    );
  },
  derivative: {
    0: (grad, [self, dim = 0, start, end, step = 1]) => {
      const [from, to] = sliceBounds(self.shape[wrapDim(dim, self.shape.length)], start ?? null, end ?? null, step);
      return selectBackward(grad, self.shape, dim, from, to, step, false);
    },
  },
  samples: [
    { args: [{ shape: [5, 3] }, { value: 0 }, { value: 1 }, { value: 4 }, { value: 2 }] },
    { args: [{ shape: [5, 3] }, { value: 1 }, { value: -2 }] },
    { args: [{ shape: [5] }, { value: 0 }, { value: 4 }, { value: 2 }] },
  ],
  errors: [
    {
      args: [{ shape: [5] }, { value: 0 }, { value: 0 }, { value: 5 }, { value: 0 }],
      message: 'slice step must be positive',
    },
  ],
});

function sliceBounds(size: number, start: number | null, end: number | null, step: number): [number, number] {
  if (!Number.isInteger(step) || step <= 0) throw new RuntimeError('slice step must be positive');
  const clip = (v: number) => Math.min(Math.max(v < 0 ? v + size : v, 0), size);
  const from = clip(start ?? 0);
  return [from, Math.max(from, clip(end ?? size))];
}

/** Zeros of `shape` with `grad` in the place that a slice was taken from; differentiable itself. */
const selectBackward: (
  grad: Tensor,
  shape: Shape,
  dim: number,
  start: number,
  end: number,
  step: number,
  drops: boolean,
) => Tensor = op({
  kind: 'copy',
  name: 'sliceBackward',
  doc: 'Gradient of select, narrow and slice: zeros with the gradient in the slice',
  dtypes,
  forward(grad: Tensor, shape: Shape, dim: number, start: number, end: number, step: number, drops: boolean): Tensor {
    const out = empty(shape, grad.dtype);
    fillWith(out, 0);
    const d = wrapDim(dim, shape.length);
    const from = start < 0 ? start + shape[d] : start;
    const target = viewOf(
      out,
      drops ? shape.filter((_, k) => k !== d) : grad.shape,
      drops ? out.strides.filter((_, k) => k !== d) : out.strides.with(d, out.strides[d] * step),
      from * out.strides[d],
    );
    copyInto(target, grad);
    void end;
    return out;
  },
  derivative: {
    0: (grad, [, , dim, start, end, step, drops]) =>
      drops ? grad.select(dim, start) : grad.slice(dim, start, end, step),
  },
});
