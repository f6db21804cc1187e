import { type DTypeLike, dtypes, toDType } from '../core/dtype.js';
import { checkOptions, RuntimeError } from '../core/errors.js';
import { broadcastShapes, checkSizes, type Shape, sameShape } from '../core/shape.js';
import { isGradEnabled } from '../core/tape.js';
import { empty, Tensor } from '../core/tensor.js';
import { clone } from './copy.js';
import { rebase } from './inplace.js';
import { copyInto, fillWith } from './iterate.js';
import { attach, checkTensor, FunctionNode, type Op } from './op.js';
import { fitTo } from './pointwise.js';

/** Writing into a tensor, and new tensors with the dtype of one. Methods only, as in PyTorch. */

const mutation = { kind: 'copy', inplace: true, differentiable: true, dtypes, samples: [], errors: [] } as const;

export const copy_: Op<(self: Tensor, source: Tensor | number) => Tensor> = attach(
  (self: Tensor, source: Tensor | number) => {
    checkTensor('copy_', 'input', self);
    if (typeof source === 'number') return fill_(self, source);
    checkTensor('copy_', 'src', source);
    if (!sameShape(broadcastShapes(self.shape, source.shape), self.shape)) {
      throw new RuntimeError(
        `copy_(): output with shape [${self.shape.join(', ')}] doesn't match the broadcast shape [${broadcastShapes(self.shape, source.shape).join(', ')}]`,
      );
    }
    const tracked = isGradEnabled() && self.dtype.category === 'float' && (self.requiresGrad || source.requiresGrad);
    const { shape } = self;
    return rebase(self, tracked, {
      node: () =>
        new FunctionNode('CopyBackwards', [self, source], (grad) => [
          grad.newZeros(shape),
          fitTo(grad, source.shape, source.dtype),
        ]),
      write: () => copyInto(self, overlapping(self, source) ? clone(source.detach()) : source),
    });
  },
  {
    ...mutation,
    name: 'copy_',
    doc: 'Writes source, broadcast and converted, into this tensor',
    samples: [
      { args: [{ shape: [2, 3] }, { shape: [2, 3] }] },
      { args: [{ shape: [2, 3] }, { shape: [3] }] },
      { args: [{ shape: [2, 3] }, { shape: [], dtype: 'float64' }] },
      { args: [{ shape: [2, 3] }, { data: [[1], [2]], dtype: 'int64' }] },
    ],
    errors: [
      { args: [{ shape: [3] }, { shape: [2, 3] }], message: "doesn't match the broadcast shape [2, 3]" },
      {
        args: [{ shape: [3] }, { shape: [2] }],
        message: 'The size of tensor a (3) must match the size of tensor b (2)',
      },
    ],
  },
);

/** Whether writing one view may change what is still to be read through another. */
function overlapping(to: Tensor, from: Tensor): boolean {
  return (
    to.storage === from.storage &&
    !(to.offset === from.offset && sameShape(to.strides, from.strides) && sameShape(to.shape, from.shape))
  );
}

export const fill_: Op<(self: Tensor, value: number | Tensor) => Tensor> = attach(
  (self: Tensor, value: number | Tensor) => {
    checkTensor('fill_', 'input', self);
    if (value instanceof Tensor) {
      if (value.ndim !== 0) {
        throw new RuntimeError(
          `fill_ only supports 0-dimension value tensor but got tensor with ${value.ndim} dimensions.`,
        );
      }
      return copy_(self, value);
    }
    if (typeof value !== 'number' && typeof value !== 'boolean') {
      throw new TypeError(`fill_(): argument 'value' must be Number or Tensor, not ${typeof value}`);
    }
    return rebase(self, isGradEnabled() && self.requiresGrad, {
      node: () => new FunctionNode('FillBackward0', [self], (grad) => [grad.newZeros(grad.shape)]),
      write: () => fillWith(self, Number(value)),
    });
  },
  {
    ...mutation,
    name: 'fill_',
    doc: 'Writes one number into every element',
    samples: [
      { args: [{ shape: [2, 3] }, { value: 1.5 }] },
      { args: [{ shape: [] }, { value: -2 }] },
      { args: [{ shape: [2] }, { shape: [] }] },
    ],
    errors: [
      {
        args: [{ shape: [2] }, { shape: [1] }],
        message: 'fill_ only supports 0-dimension value tensor but got tensor with 1 dimensions',
      },
    ],
  },
);

export const zero_: Op<(self: Tensor) => Tensor> = Object.assign((self: Tensor) => fill_(self, 0), {
  record: fill_.record,
});

interface LikeOptions {
  dtype?: DTypeLike;
  requiresGrad?: boolean;
}
type NewFilled = Op<(self: Tensor, shape: Shape | number, options?: LikeOptions) => Tensor>;

function filled(name: string, value: number): NewFilled {
  return attach(
    (self: Tensor, shape: Shape | number, options?: LikeOptions) => {
      checkTensor(name, 'input', self);
      checkOptions(name, options, ['dtype', 'requiresGrad']);
      const sizes = typeof shape === 'number' ? [shape] : shape;
      checkSizes(name, sizes);
      const out = empty(sizes.slice(), options?.dtype === undefined ? self.dtype : toDType(options.dtype));
      fillWith(out, value);
      return options?.requiresGrad ? out.requiresGrad_() : out;
    },
    {
      ...mutation,
      name,
      inplace: false,
      differentiable: false,
      doc: `A tensor of ${value === 0 ? 'zeros' : 'ones'} with this one's dtype`,
      samples: [{ args: [{ shape: [2] }, { value: [2, 3] }] }],
    },
  );
}

export const newZeros = filled('newZeros', 0);
export const newOnes = filled('newOnes', 1);
