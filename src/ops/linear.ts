import { type DType, dtypes } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { contiguousStrides, numelOf } from '../core/shape.js';
import { empty, Tensor } from '../core/tensor.js';
import { product, sameDtype } from './gemm.js';
import { contiguousValues } from './iterate.js';
import { checkTensor, type Op, op } from './op.js';

const kind = { kind: 'matmul', dtypes: dtypes.filter((d) => d.name !== 'bool') } as const;

/** Affine maps, the product and the bias in one kernel. */
export const linear: Op<(input: Tensor, weight: Tensor, bias?: Tensor | null) => Tensor> = op({
  ...kind,
  name: 'linear',
  torch: 'nn.functional.linear',
  doc: 'y = x A^T + b; x [*, in], A [out, in], b [out] -> [*, out]',
  forward(input: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
    checkTensor('linear', 'input', input);
    checkTensor('linear', 'weight', weight);
    if (input.ndim === 0)
      throw new RuntimeError('both arguments to linear need to be at least 1D, but they are 0D and 2D');
    const [out, features] = weight.shape;
    const rows = numelOf(input.shape.slice(0, -1));
    if (input.shape[input.ndim - 1] !== features) {
      throw new RuntimeError(
        `mat1 and mat2 shapes cannot be multiplied (${rows}x${input.shape[input.ndim - 1]} and ${features}x${out})`,
      );
    }
    sameDtype('mat1 and mat2 must have the same dtype; linear', input, weight);
    const matrix = input.ndim === 2 ? input : input.reshape([rows, features]);
    const shape = input.ndim === 2 ? [rows, out] : [...input.shape.slice(0, -1), out];
    const result = empty(shape, input.dtype);
    const flat =
      input.ndim === 2
        ? result
        : new Tensor(result.storage, [rows, out], contiguousStrides([rows, out]), 0, input.dtype);
    product('linear', matrix, weight.t(), flat, bias instanceof Tensor ? checkBias(bias, out, input.dtype) : undefined);
    return result;
  },
  saves: [0, 1],
  derivative: {
    0: (grad, [, weight]) => grad.matmul(weight),
    1: (grad, [input]) => {
      const rows = (t: Tensor) => (t.ndim === 2 ? t : t.reshape([numelOf(t.shape.slice(0, -1)), t.shape[t.ndim - 1]]));
      return rows(grad).t().mm(rows(input));
    },
    // An empty list of dimensions would mean all of them.
    2: (grad) => (grad.ndim === 1 ? grad : grad.sum(grad.shape.slice(0, -1).map((_, d) => d))),
  },
  samples: [
    { args: [{ shape: [3, 4] }, { shape: [2, 4] }, { shape: [2] }] },
    { args: [{ shape: [2, 3, 4] }, { shape: [5, 4] }] },
    { args: [{ shape: [4] }, { shape: [5, 4] }, { shape: [5] }] },
    { args: [{ shape: [0, 4] }, { shape: [5, 4] }, { shape: [5] }] },
  ],
  errors: [
    {
      args: [{ shape: [3, 5] }, { shape: [2, 4] }],
      message: 'mat1 and mat2 shapes cannot be multiplied (3x5 and 4x2)',
    },
  ],
});

function checkBias(bias: Tensor, out: number, dtype: DType): Tensor {
  if (bias.ndim !== 1 || bias.count !== out) {
    throw new RuntimeError(`linear(): expected bias of shape [${out}], got [${bias.shape.join(', ')}]`);
  }
  if (bias.dtype !== dtype) throw new RuntimeError(`linear(): expected bias of dtype ${dtype}, got ${bias.dtype}`);
  return contiguousValues(bias);
}
