import { dtypes } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import {
  contiguousStrides,
  inferShape,
  numelOf,
  type Shape,
  sameShape,
  shapeFrom,
  showShape,
  viewStrides,
  wrapDim,
  wrapDims,
} from '../core/shape.js';
import { empty, type Tensor, view as viewOf } from '../core/tensor.js';
import { aliasOf, copyInto } from './iterate.js';
import { checkTensor, type Op, op } from './op.js';

/** Views: other shapes and strides over the same storage. Nothing is copied, and writing through a view is seen by all. */

type ShapeArgs = number[] | [Shape];

const kind = { kind: 'view', dtypes } as const;

export const view: Op<(self: Tensor, ...shape: ShapeArgs) => Tensor> = op({
  ...kind,
  name: 'view',
  doc: 'The same elements in another shape; one size may be -1. An error where the strides do not allow it.',
  forward(self: Tensor, ...shape: ShapeArgs): Tensor {
    checkTensor('view', 'input', self);
    const to = inferShape(shapeFrom('view', shape), self.count);
    const strides = viewStrides(self.shape, self.strides, to);
    if (strides === undefined) {
      throw new RuntimeError(
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
      );
    }
    return aliasOf(self, to, strides);
  },
  derivative: { 0: (grad, [self]) => grad.reshape(self.shape) },
  samples: [
    { args: [{ shape: [2, 6] }, { value: [3, -1] }] },
    { args: [{ shape: [4] }, { value: [2, 2] }] },
    { args: [{ shape: [0, 3] }, { value: [3, 0] }] },
    { args: [{ shape: [] }, { value: [1, 1] }] },
  ],
  errors: [
    { args: [{ shape: [2, 3] }, { value: [4, -1] }], message: "shape '[4, -1]' is invalid for input of size 6" },
    { args: [{ shape: [2, 3] }, { value: [-1, -1] }], message: 'only one dimension can be inferred' },
  ],
});

export const reshape: Op<(self: Tensor, ...shape: ShapeArgs) => Tensor> = op({
  ...kind,
  name: 'reshape',
  doc: 'The same elements in another shape; a view where the strides allow it, else a copy.',
  forward(self: Tensor, ...shape: ShapeArgs): Tensor {
    checkTensor('reshape', 'input', self);
    const to = inferShape(shapeFrom('reshape', shape), self.count);
    const strides = viewStrides(self.shape, self.strides, to);
    if (strides !== undefined) return aliasOf(self, to, strides);
    const copy = empty(self.shape, self.dtype);
    copyInto(copy, self);
    return viewOf(copy, to, contiguousStrides(to), 0);
  },
  derivative: { 0: (grad, [self]) => grad.reshape(self.shape) },
  samples: [{ args: [{ shape: [2, 6] }, { value: [3, 4] }] }, { args: [{ shape: [3, 4] }, { value: [-1] }] }],
  errors: [{ args: [{ shape: [2, 3] }, { value: [4] }], message: "shape '[4]' is invalid for input of size 6" }],
});

export const permute: Op<(self: Tensor, ...dims: ShapeArgs) => Tensor> = op({
  ...kind,
  name: 'permute',
  doc: 'Dimensions in another order',
  forward(self: Tensor, ...dims: ShapeArgs): Tensor {
    checkTensor('permute', 'input', self);
    const list = shapeFrom('permute', dims);
    if (list.length !== self.ndim) {
      throw new RuntimeError(
        `permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = ${self.ndim} is not equal to len(dims) = ${list.length}`,
      );
    }
    const order = wrapDims(list, self.ndim);
    return aliasOf(
      self,
      order.map((d) => self.shape[d]),
      order.map((d) => self.strides[d]),
    );
  },
  derivative: {
    0: (grad, [self, ...dims]) => {
      const order = wrapDims(shapeFrom('permute', dims), self.shape.length);
      const inverse = new Array<number>(order.length);
      order.forEach((d, i) => {
        inverse[d] = i;
      });
      return grad.permute(inverse);
    },
  },
  samples: [{ args: [{ shape: [2, 3, 4] }, { value: [2, 0, 1] }] }, { args: [{ shape: [2, 3] }, { value: [-1, 0] }] }],
  errors: [{ args: [{ shape: [2, 3] }, { value: [0] }], message: 'does not match the length of the desired ordering' }],
});

export const transpose: Op<(self: Tensor, dim0: number, dim1: number) => Tensor> = op({
  ...kind,
  name: 'transpose',
  doc: 'Two dimensions swapped',
  forward(self: Tensor, dim0: number, dim1: number): Tensor {
    checkTensor('transpose', 'input', self);
    const a = wrapDim(dim0, self.ndim);
    const b = wrapDim(dim1, self.ndim);
    if (self.ndim === 0) return aliasOf(self, self.shape, self.strides);
    const shape = self.shape.slice();
    const strides = self.strides.slice();
    [shape[a], shape[b]] = [shape[b], shape[a]];
    [strides[a], strides[b]] = [strides[b], strides[a]];
    return aliasOf(self, shape, strides);
  },
  derivative: { 0: (grad, [, dim0, dim1]) => grad.transpose(dim0, dim1) },
  samples: [
    { args: [{ shape: [2, 3, 4] }, { value: 0 }, { value: -1 }] },
    { args: [{ shape: [3] }, { value: 0 }, { value: 0 }] },
  ],
  errors: [
    {
      args: [{ shape: [2, 3] }, { value: 0 }, { value: 2 }],
      message: 'Dimension out of range (expected to be in range of [-2, 1], but got 2)',
    },
  ],
});

export const t: Op<(self: Tensor) => Tensor> = op({
  ...kind,
  name: 't',
  doc: 'The transpose of a matrix; 0-d and 1-d tensors as they are',
  forward(self: Tensor): Tensor {
    checkTensor('t', 'input', self);
    if (self.ndim > 2) throw new RuntimeError(`t() expects a tensor with <= 2 dimensions, but self is ${self.ndim}D`);
    return aliasOf(self, self.shape.slice().reverse(), self.strides.slice().reverse());
  },
  derivative: { 0: (grad) => grad.t() },
  samples: [{ args: [{ shape: [2, 3] }] }, { args: [{ shape: [3] }] }, { args: [{ shape: [] }] }],
  errors: [{ args: [{ shape: [2, 3, 4] }], message: 't() expects a tensor with <= 2 dimensions, but self is 3D' }],
});

export const expand: Op<(self: Tensor, ...sizes: ShapeArgs) => Tensor> = op({
  ...kind,
  name: 'expand',
  doc: 'Dimensions of size 1 stretched, new ones in front; -1 keeps a size. All copies share memory.',
  forward(self: Tensor, ...sizes: ShapeArgs): Tensor {
    checkTensor('expand', 'input', self);
    const list = shapeFrom('expand', sizes);
    const lead = list.length - self.ndim;
    if (lead < 0) {
      throw new RuntimeError(
        `expand(${self.typeName()}{${showShape(self.shape)}}, size=${showShape(list)}): the number of sizes provided (${list.length}) must be greater or equal to the number of dimensions in the tensor (${self.ndim})`,
      );
    }
    const strides = new Array<number>(list.length).fill(0);
    const shape = list.map((size, i) => {
      const own = i < lead ? 1 : self.shape[i - lead];
      if (size === -1 && i >= lead) {
        strides[i] = self.strides[i - lead];
        return own;
      }
      if (size < 0) {
        throw new RuntimeError(
          `The expanded size of the tensor (${size}) isn't allowed in a leading, non-existing dimension ${i}`,
        );
      }
      if (own !== size && own !== 1) {
        throw new RuntimeError(
          `The expanded size of the tensor (${size}) must match the existing size (${own}) at non-singleton dimension ${i}.  Target sizes: ${showShape(list)}.  Tensor sizes: ${showShape(self.shape)}`,
        );
      }
      if (i >= lead && own === size) strides[i] = self.strides[i - lead];
      return size;
    });
    return aliasOf(self, shape, strides);
  },
  derivative: { 0: (grad, [self]) => grad.sumToSize(self.shape) },
  samples: [{ args: [{ shape: [3, 1] }, { value: [2, 3, 4] }] }, { args: [{ shape: [3, 1] }, { value: [-1, 4] }] }],
  errors: [
    {
      args: [{ shape: [3] }, { value: [4] }],
      message: 'must match the existing size (3) at non-singleton dimension 0',
    },
  ],
});

export const squeeze: Op<(self: Tensor, dim?: number | readonly number[]) => Tensor> = op({
  ...kind,
  name: 'squeeze',
  doc: 'Without its dimensions of size 1, or without those named',
  forward(self: Tensor, dim?: number | readonly number[]): Tensor {
    checkTensor('squeeze', 'input', self);
    const named = dim === undefined ? undefined : wrapDims(typeof dim === 'number' ? [dim] : dim, self.ndim);
    const keep = self.shape
      .map((_, d) => d)
      .filter((d) => self.shape[d] !== 1 || (named !== undefined && !named.includes(d)));
    return aliasOf(
      self,
      keep.map((d) => self.shape[d]),
      keep.map((d) => self.strides[d]),
    );
  },
  derivative: { 0: (grad, [self]) => grad.reshape(self.shape) },
  samples: [
    { args: [{ shape: [1, 3, 1] }] },
    { args: [{ shape: [1, 3, 1] }, { value: 0 }] },
    { args: [{ shape: [2, 3] }, { value: 1 }] },
  ],
  errors: [{ args: [{ shape: [2] }, { value: 3 }], message: 'Dimension out of range' }],
});

export const unsqueeze: Op<(self: Tensor, dim: number) => Tensor> = op({
  ...kind,
  name: 'unsqueeze',
  doc: 'With a new dimension of size 1 at dim',
  forward(self: Tensor, dim: number): Tensor {
    checkTensor('unsqueeze', 'input', self);
    const d = wrapDim(dim, self.ndim + 1);
    const shape = self.shape.slice();
    const strides = self.strides.slice();
    const step = d < self.ndim ? self.shape[d] * self.strides[d] : 1;
    shape.splice(d, 0, 1);
    strides.splice(d, 0, step);
    return aliasOf(self, shape, strides);
  },
  derivative: { 0: (grad, [, dim]) => grad.squeeze(dim) },
  samples: [{ args: [{ shape: [2, 3] }, { value: 1 }] }, { args: [{ shape: [] }, { value: -1 }] }],
  errors: [
    {
      args: [{ shape: [2] }, { value: 4 }],
      message: 'Dimension out of range (expected to be in range of [-2, 1], but got 4)',
    },
  ],
});

export const flatten: Op<(self: Tensor, startDim?: number, endDim?: number) => Tensor> = op({
  ...kind,
  name: 'flatten',
  doc: 'Dimensions startDim to endDim joined into one; a view where the strides allow it',
  forward(self: Tensor, startDim = 0, endDim = -1): Tensor {
    checkTensor('flatten', 'input', self);
    const from = wrapDim(startDim, self.ndim);
    const to = wrapDim(endDim, self.ndim);
    if (from > to) throw new RuntimeError('flatten() has invalid args: start_dim cannot come after end_dim');
    if (self.ndim === 0) return aliasOf(self, [1], [1]);
    const joined = numelOf(self.shape.slice(from, to + 1));
    const shape = [...self.shape.slice(0, from), joined, ...self.shape.slice(to + 1)];
    const strides = viewStrides(self.shape, self.strides, shape);
    if (strides !== undefined) return aliasOf(self, shape, strides);
    const copy = empty(self.shape, self.dtype);
    copyInto(copy, self);
    return viewOf(copy, shape, contiguousStrides(shape), 0);
  },
  derivative: { 0: (grad, [self]) => grad.reshape(self.shape) },
  samples: [{ args: [{ shape: [2, 3, 4] }, { value: 1 }] }, { args: [{ shape: [2, 3] }] }, { args: [{ shape: [] }] }],
  errors: [{ args: [{ shape: [2, 3] }, { value: 1 }, { value: 0 }], message: 'start_dim cannot come after end_dim' }],
});

/** Sums a tensor down to a shape that broadcasts to its own. */
export const sumToSize: Op<(self: Tensor, ...size: ShapeArgs) => Tensor> = op({
  name: 'sumToSize',
  kind: 'reduction',
  dtypes,
  doc: 'Sum over the dimensions in which size is 1 or missing',
  forward(self: Tensor, ...size: ShapeArgs): Tensor {
    checkTensor('sumToSize', 'input', self);
    const to = shapeFrom('sumToSize', size);
    const lead = self.ndim - to.length;
    const dims: number[] = [];
    for (let d = 0; d < self.ndim; d++) {
      if (d < lead || (to[d - lead] === 1 && self.shape[d] !== 1)) dims.push(d);
      else if (to[d - lead] !== self.shape[d]) {
        throw new RuntimeError(`size {${showShape(to)}} is not expandable to size {${showShape(self.shape)}}.`);
      }
    }
    if (lead < 0)
      throw new RuntimeError(`size {${showShape(to)}} is not expandable to size {${showShape(self.shape)}}.`);
    const summed = dims.length === 0 ? self : self.sum(dims, { keepdim: true });
    return viewOf(summed, to, sameShape(summed.shape, to) ? summed.strides : contiguousStrides(to), summed.offset);
  },
  derivative: { 0: (grad, [self]) => grad.expand(self.shape) },
  samples: [{ args: [{ shape: [2, 3, 4] }, { value: [3, 1] }] }, { args: [{ shape: [2, 3] }, { value: [] }] }],
  errors: [{ args: [{ shape: [2, 3] }, { value: [2] }], message: 'is not expandable to size' }],
});
