import { Device } from '../core/device.js';
import {
  bool,
  type DType,
  type DTypeLike,
  dtypes,
  float32,
  float64,
  int32,
  int64,
  toDType,
  uint8,
} from '../core/dtype.js';
import { checkOptions } from '../core/errors.js';
import { empty, Tensor, view } from '../core/tensor.js';
import { castTo, copyInto } from './iterate.js';
import { attach, checkTensor, type Op, op } from './op.js';

/** Copies: clones, changes of dtype, and cutting a tensor out of the graph. */

const kind = { kind: 'copy', dtypes } as const;

export const clone: Op<(self: Tensor) => Tensor> = op({
  ...kind,
  name: 'clone',
  doc: 'A copy with memory of its own; the gradient flows through',
  forward(self: Tensor): Tensor {
    checkTensor('clone', 'input', self);
    const out = empty(self.shape, self.dtype);
    copyInto(out, self);
    return out;
  },
  derivative: { 0: (grad) => grad },
  samples: [{ args: [{ shape: [2, 3] }] }, { args: [{ shape: [] }] }],
});

export const contiguous: Op<(self: Tensor) => Tensor> = Object.assign(
  (self: Tensor) => {
    checkTensor('contiguous', 'input', self);
    return self.isContiguous() ? self : clone(self);
  },
  { record: clone.record },
);

export const detach: Op<(self: Tensor) => Tensor> = attach(
  (self: Tensor) => {
    checkTensor('detach', 'input', self);
    return view(self, self.shape, self.strides, self.offset);
  },
  {
    name: 'detach',
    kind: 'view',
    doc: 'The same memory, cut out of the graph: no gradient flows through',
    inplace: false,
    differentiable: false,
    dtypes,
    samples: [{ args: [{ shape: [2, 3] }] }],
    errors: [],
  },
);

interface ToOptions {
  dtype?: DTypeLike;
  device?: string | Device;
  copy?: boolean;
}

const convert = op({
  ...kind,
  name: 'toCopy',
  torch: '_to_copy',
  doc: 'A copy in another dtype; the gradient comes back in the first one',
  forward(self: Tensor, dtype: DType): Tensor {
    const out = empty(self.shape, dtype);
    copyInto(out, self);
    return out;
  },
  derivative: { 0: (grad, [self]) => grad.to(self.dtype) },
});

const isDevice = (v: unknown): v is string | Device =>
  v instanceof Device || v === 'cpu' || (typeof v === 'string' && /^(cuda|mps|webgpu|cpu)/.test(v));

/** `x.to('float64')`, `x.to(torch.int64)`, `x.to('cpu')`, `x.to(other)`, `x.to({ dtype, device, copy })`. */
export const to: Op<
  (self: Tensor, target: DTypeLike | string | Device | Tensor | ToOptions, options?: ToOptions | DTypeLike) => Tensor
> = attach(
  (self: Tensor, target: DTypeLike | string | Device | Tensor | ToOptions, options?: ToOptions | DTypeLike) => {
    checkTensor('to', 'input', self);
    let dtype = self.dtype;
    let copy = false;
    const read = (v: unknown): void => {
      if (v === undefined) return;
      if (v instanceof Tensor) dtype = v.dtype;
      else if (isDevice(v)) Device.from(v);
      else if (typeof v === 'object' && v !== null && 'category' in v) dtype = toDType(v as DType);
      else if (typeof v === 'string') dtype = toDType(v as DTypeLike);
      else {
        checkOptions('to', v as object, ['dtype', 'device', 'copy']);
        const o = v as ToOptions;
        if (o.dtype !== undefined) dtype = toDType(o.dtype);
        if (o.device !== undefined) Device.from(o.device);
        copy = o.copy ?? false;
      }
    };
    read(target);
    read(options);
    if (dtype === self.dtype) return copy ? clone(self) : self;
    return self.requiresGrad && dtype.category !== 'float' ? castTo(self.detach(), dtype) : convert(self, dtype);
  },
  {
    name: 'to',
    kind: 'copy',
    doc: 'The tensor in another dtype, or itself where nothing changes. Floats become integers toward zero.',
    inplace: false,
    differentiable: true,
    dtypes,
    samples: [
      { args: [{ shape: [2, 3], low: -3, high: 3 }, { value: 'float64' }] },
      { args: [{ shape: [2, 3], low: -3, high: 3 }, { value: 'int64' }] },
    ],
    errors: [{ args: [{ shape: [2] }, { value: 'float17' }], message: 'dtype: expected one of' }],
  },
);

const shorthand = (dtype: DType): Op<(self: Tensor) => Tensor> =>
  Object.assign((self: Tensor) => to(self, dtype), { record: to.record });
export const float = shorthand(float32);
export const double = shorthand(float64);
export const long = shorthand(int64);
export const int = shorthand(int32);
export const byte = shorthand(uint8);
const toBool = shorthand(bool);

export { toBool as bool };

export const typeAs: Op<(self: Tensor, other: Tensor) => Tensor> = Object.assign(
  (self: Tensor, other: Tensor) => {
    checkTensor('typeAs', 'other', other);
    return to(self, other.dtype);
  },
  { record: to.record },
);
