import { callKernel, kernel } from '../backend/backend.js';
import { type DTypeLike, float32, float64, toDType } from '../core/dtype.js';
import { checkOptions, NotImplementedError } from '../core/errors.js';
import { numelOf, wrapDim } from '../core/shape.js';
import { empty, type Tensor } from '../core/tensor.js';
import { castTo, contiguousValues } from './iterate.js';
import { checkTensor, type Op, op } from './op.js';

/** Softmax and its logarithm: forward and backward are one kernel each; higher derivatives go through the composite. */

const floats = [float32, float64];
const pair = (name: string) => floats.map((d) => kernel(`${name}_${d.suffix}`));

/** Runs a kernel over [outer, dim, inner] (frame: kernels/softmax.cpp). */
function alongDim(name: string, keys: number[], dim: number, inputs: Tensor[]): Tensor {
  const [first] = inputs;
  const { shape, dtype } = first;
  if (dtype.category !== 'float')
    throw new NotImplementedError(`"${name}_kernel_impl" not implemented for '${dtype.title}'`);
  const d = wrapDim(dim, shape.length);
  const out = empty(shape, dtype);
  if (out.count === 0) return out;
  const flat = inputs.map(contiguousValues);
  const addresses = flat.map((t) => t.address);
  callKernel(
    keys[dtype === float32 ? 0 : 1],
    numelOf(shape.slice(0, d)),
    shape[d] ?? 1,
    numelOf(shape.slice(d + 1)),
    ...addresses,
    out.address,
  );
  return out;
}

type SoftmaxOptions = { dtype?: DTypeLike };
export type Softmax = Op<(self: Tensor, dim: number, options?: SoftmaxOptions) => Tensor>;

function prepared(name: string, self: Tensor, dim: number, options?: SoftmaxOptions): Tensor {
  checkTensor(name, 'input', self);
  checkOptions(name, options, ['dtype']);
  if (typeof dim !== 'number') throw new TypeError(`${name}(): argument 'dim' must be a number, not ${typeof dim}`);
  return options?.dtype === undefined ? self : castTo(self, toDType(options.dtype));
}

const samples = [
  { args: [{ shape: [3, 5] }, { value: 1 }] },
  { args: [{ shape: [2, 3, 4] }, { value: 1 }] },
  { args: [{ shape: [2, 3] }, { value: 0 }] },
  { args: [{ shape: [] }, { value: 0 }] },
  { args: [{ shape: [0, 3] }, { value: 1 }] },
  { args: [{ shape: [4, 37], low: -50, high: 50 }, { value: -1 }] },
  { args: [{ shape: [2, 3] }, { value: 1 }, { value: { dtype: 'float64' } }] },
];
const errors = [
  {
    args: [{ shape: [2, 3] }, { value: 2 }],
    message: 'Dimension out of range (expected to be in range of [-2, 1], but got 2)',
  },
];

/** Result and gradient in the gradient's own formula, so that it can be differentiated again. */
const softmaxBackward: (grad: Tensor, output: Tensor, dim: number) => Tensor = op({
  name: 'softmaxBackward',
  torch: '_softmax_backward_data',
  kind: 'composite',
  doc: '(grad - sum(grad * output)) * output',
  dtypes: floats,
  forward: (grad: Tensor, output: Tensor, dim: number) =>
    alongDim('softmax', pair('softmax_backward'), dim, [grad, output]),
  saves: [0, 1],
  derivative: {
    0: (g, [, output, dim]) => output.mul(g.sub(g.mul(output).sum(dim, { keepdim: true }))),
    1: (g, [grad, output, dim]) => {
      const inner = grad.mul(output).sum(dim, { keepdim: true });
      return g.mul(grad.sub(inner)).sub(grad.mul(g.mul(output).sum(dim, { keepdim: true })));
    },
  },
});

export const softmax: Softmax = op({
  name: 'softmax',
  kind: 'composite',
  doc: 'exp(x_i) / sum_j exp(x_j) along dim',
  dtypes: floats,
  forward: (self: Tensor, dim: number, options?: SoftmaxOptions) =>
    alongDim('softmax', pair('softmax'), dim, [prepared('softmax', self, dim, options)]),
  savesResult: true,
  derivative: { 0: (grad, [self, dim], result) => softmaxBackward(grad, result, dim).to(self.dtype) },
  samples,
  errors,
});

const logSoftmaxBackward: (grad: Tensor, output: Tensor, dim: number) => Tensor = op({
  name: 'logSoftmaxBackward',
  torch: '_log_softmax_backward_data',
  kind: 'composite',
  doc: 'grad - exp(output) * sum(grad)',
  dtypes: floats,
  forward: (grad: Tensor, output: Tensor, dim: number) =>
    alongDim('log_softmax', pair('log_softmax_backward'), dim, [grad, output]),
  saves: [0, 1],
  derivative: {
    0: (g, [, output, dim]) => g.sub(g.mul(output.exp()).sum(dim, { keepdim: true })),
    1: (g, [grad, output, dim]) =>
      g
        .mul(output.exp())
        .mul(grad.sum(dim, { keepdim: true }))
        .neg(),
  },
});

export const logSoftmax: Softmax = op({
  name: 'logSoftmax',
  kind: 'composite',
  doc: 'x_i - log(sum_j exp(x_j)) along dim',
  dtypes: floats,
  forward: (self: Tensor, dim: number, options?: SoftmaxOptions) =>
    alongDim('log_softmax', pair('log_softmax'), dim, [prepared('logSoftmax', self, dim, options)]),
  savesResult: true,
  derivative: { 0: (grad, [self, dim], result) => logSoftmaxBackward(grad, result, dim).to(self.dtype) },
  samples,
  errors,
});
