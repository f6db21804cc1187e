import { kernel } from '../backend/backend.js';
import { dtypes } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { type Shape, showShape } from '../core/shape.js';
import { Storage } from '../core/storage.js';
import { Node } from '../core/tape.js';
import { setViewNode, Tensor, view as viewOf } from '../core/tensor.js';
import { aliasOf, fillWith, launch } from './iterate.js';
import { checkTensor, type Op, op } from './op.js';

/** Views by explicit strides, and the histories of tensors that were changed through a view. */

/** Where a tensor lies in its storage. */
interface Geometry {
  shape: Shape;
  strides: Shape;
  offset: number;
}

const geometryOf = ({ shape, strides, offset }: Tensor): Geometry => ({ shape, strides, offset });

/** One past the last element that a geometry reaches. */
function spanOf({ shape, strides, offset }: Geometry): number {
  if (shape.includes(0)) return offset;
  return shape.reduce((last, size, d) => last + (size - 1) * strides[d], offset) + 1;
}

export const asStrided: Op<(self: Tensor, size: Shape, stride: Shape, storageOffset?: number) => Tensor> = op({
  kind: 'view',
  name: 'asStrided',
  readsMemory: true,
  doc: 'A view of the storage with the given sizes, strides and offset',
  dtypes,
  forward(self: Tensor, size: Shape, stride: Shape, storageOffset?: number): Tensor {
    checkTensor('asStrided', 'input', self);
    if (size.length !== stride.length) {
      throw new RuntimeError(
        `mismatch in length of strides and shape: got ${stride.length} strides for shape ${showShape(size)}`,
      );
    }
    const offset = storageOffset ?? self.offset;
    if (offset < 0 || stride.some((s) => s < 0))
      throw new RuntimeError('as_strided: Negative strides and offsets are not supported');
    const last = spanOf({ shape: size, strides: stride, offset });
    if (last * self.dtype.itemsize > self.storage.bytes) {
      throw new RuntimeError(
        `setStorage: sizes ${showShape(size)}, strides ${showShape(stride)}, storage offset ${offset}, and itemsize ${self.dtype.itemsize} requiring a storage size of ${last * self.dtype.itemsize} are out of bounds for storage of size ${self.storage.bytes}`,
      );
    }
    return aliasOf(self, size.slice(), stride.slice(), offset);
  },
  derivative: {
    0: (grad, [self, size, stride, storageOffset]) =>
      asStridedBackward(grad, geometryOf(self), { shape: size, strides: stride, offset: storageOffset ?? self.offset }),
  },
  samples: [
    { args: [{ shape: [3, 4] }, { value: [2, 2] }, { value: [4, 1] }, { value: 1 }] },
    { args: [{ shape: [6] }, { value: [3, 2] }, { value: [1, 1] }] },
    { args: [{ shape: [4] }, { value: [2, 3] }, { value: [0, 1] }] },
  ],
  errors: [
    { args: [{ shape: [4] }, { value: [5] }, { value: [1] }], message: 'are out of bounds for storage of size 16' },
  ],
});

const addKernels = dtypes.map((d) => kernel(`add_${d.suffix}`));

/** A tensor of zeros that lies in memory of its own as `base` says, and its part that lies as `part` says. */
function zerosLike(base: Geometry, part: Geometry, like: Tensor): { whole: Tensor; slice: Tensor } {
  const span = Math.max(spanOf(base), spanOf(part));
  const flat = new Tensor(new Storage(span * like.dtype.itemsize), [span], [1], 0, like.dtype);
  fillWith(flat, 0);
  return {
    whole: viewOf(flat, base.shape, base.strides, base.offset),
    slice: viewOf(flat, part.shape, part.strides, part.offset),
  };
}

/** Gradient of a strided view: each place of the base gets the sum of what its places in the view got. */
const asStridedBackward: (grad: Tensor, base: Geometry, part: Geometry) => Tensor = op({
  kind: 'copy',
  name: 'asStridedBackward',
  doc: 'Zeros in the layout of the base with the gradient added in the places of the view',
  dtypes,
  forward(grad: Tensor, base: Geometry, part: Geometry): Tensor {
    const { whole, slice } = zerosLike(base, part, grad);
    addRows(slice, grad);
    return whole;
  },
  derivative: { 0: (g, [, , part]) => g.clone().asStrided(part.shape, part.strides, part.offset) },
});

/** to += from; where places of `to` repeat, one index of the first dimension at a time. */
function addRows(to: Tensor, from: Tensor): void {
  const overlapping = repeats(to.shape, to.strides);
  if (!overlapping) {
    launch(addKernels[to.dtype.index], to, [to, from]);
    return;
  }
  for (let i = 0; i < to.shape[0]; i++) {
    const place = viewOf(to, to.shape.slice(1), to.strides.slice(1), to.offset + i * to.strides[0]);
    const part = viewOf(from, from.shape.slice(1), from.strides.slice(1), from.offset + i * from.strides[0]);
    addRows(place, part);
  }
}

/** Whether two index tuples may name one place: not where each stride exceeds all that the smaller ones reach. */
function repeats(shape: Shape, strides: Shape): boolean {
  const order = shape.map((_, d) => d).filter((d) => shape[d] > 1);
  order.sort((a, b) => strides[a] - strides[b]);
  let reach = 0;
  for (const d of order) {
    if (strides[d] <= reach) return true;
    reach += (shape[d] - 1) * strides[d];
  }
  return false;
}

setViewNode((base, v) => asStrided(base, v.shape, v.strides, v.offset).gradFn);

/** The new history of a base one part of which, `part`, an in-place op has written through a view. */
export class CopySlices extends Node {
  private readonly base: Geometry;
  private readonly part: Geometry;

  constructor(
    base: Tensor,
    part: Tensor,
    private readonly inner: Node,
  ) {
    super('CopySlices', [base]);
    this.base = geometryOf(base);
    this.part = geometryOf(part);
    for (let i = 1; i < inner.next.length; i++) {
      this.next[i] = inner.next[i];
      this.nextOutput = [...this.nextOutput];
      this.nextOutput[i] = inner.nextOutput[i] ?? 0;
    }
  }

  apply([grad]: (Tensor | null)[], createGraph: boolean): (Tensor | null)[] {
    if (grad === null) return this.next.map(() => null);
    const { shape, strides, offset } = this.part;
    // In a copy that lies as the base does, so that the part can be cut out by strides.
    const span = Math.max(spanOf(this.base), spanOf(this.part));
    const flat = grad.newZeros([span]);
    const whole = flat.asStrided(this.base.shape, this.base.strides, this.base.offset);
    whole.copy_(grad);
    const slice = flat.asStrided(shape, strides, offset);
    const [own, ...others] = this.inner.apply([slice.clone()], createGraph);
    if (this.next[0] === null) return [null, ...others];
    if (own === null || own === undefined) slice.zero_();
    else slice.copy_(own);
    return [flat.asStrided(this.base.shape, this.base.strides, this.base.offset), ...others];
  }

  override release(): void {
    this.inner.release();
  }
}
