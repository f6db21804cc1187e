import { dtypes } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { broadcastShapes, numelOf, type Shape } from '../core/shape.js';
import { empty, type Tensor } from '../core/tensor.js';
import { product, sameDtype, times } from './gemm.js';
import { checkTensor, type Op, op } from './op.js';

/** Matrix products. */

const samplesOf = (...pairs: [Shape, Shape][]) => pairs.map(([a, b]) => ({ args: [{ shape: a }, { shape: b }] }));
const kind = { kind: 'matmul', dtypes: dtypes.filter((d) => d.name !== 'bool') } as const;

type TwoTensors = Op<(self: Tensor, other: Tensor) => Tensor>;

export const mm: TwoTensors = op({
  ...kind,
  name: 'mm',
  doc: 'Product of two matrices, [n, m] x [m, p] -> [n, p]',
  forward(self: Tensor, mat2: Tensor): Tensor {
    checkTensor('mm', 'input', self);
    checkTensor('mm', 'mat2', mat2);
    if (self.ndim !== 2) throw new RuntimeError('self must be a matrix');
    if (mat2.ndim !== 2) throw new RuntimeError('mat2 must be a matrix');
    if (self.shape[1] !== mat2.shape[0]) {
      throw new RuntimeError(`mat1 and mat2 shapes cannot be multiplied (${times(self, mat2)})`);
    }
    sameDtype('mm', self, mat2);
    const out = empty([self.shape[0], mat2.shape[1]], self.dtype);
    product('mm', self, mat2, out);
    return out;
  },
  saves: [0, 1],
  derivative: {
    0: (grad, [, mat2]) => grad.mm(mat2.t()),
    1: (grad, [self]) => self.t().mm(grad),
  },
  samples: samplesOf(
    [
      [3, 4],
      [4, 5],
    ],
    [
      [1, 4],
      [4, 1],
    ],
    [
      [0, 4],
      [4, 2],
    ],
    [
      [2, 0],
      [0, 3],
    ],
    [
      [17, 33],
      [33, 19],
    ],
  ),
  errors: [
    {
      args: [{ shape: [2, 3] }, { shape: [4, 5] }],
      message: 'mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)',
    },
    { args: [{ shape: [2] }, { shape: [4, 5] }], message: 'self must be a matrix' },
  ],
});

export const bmm: TwoTensors = op({
  ...kind,
  name: 'bmm',
  doc: 'Products of two batches of matrices, [b, n, m] x [b, m, p] -> [b, n, p]',
  forward(self: Tensor, mat2: Tensor): Tensor {
    checkTensor('bmm', 'input', self);
    checkTensor('bmm', 'mat2', mat2);
    if (self.ndim !== 3) throw new RuntimeError('batch1 must be a 3D tensor');
    if (mat2.ndim !== 3) throw new RuntimeError('batch2 must be a 3D tensor');
    if (self.shape[0] !== mat2.shape[0] || self.shape[2] !== mat2.shape[1]) {
      throw new RuntimeError(
        `Expected size for first two dimensions of batch2 tensor to be: [${self.shape[0]}, ${self.shape[2]}] but got: [${mat2.shape[0]}, ${mat2.shape[1]}].`,
      );
    }
    sameDtype('bmm', self, mat2);
    const out = empty([self.shape[0], self.shape[1], mat2.shape[2]], self.dtype);
    product('bmm', self, mat2, out);
    return out;
  },
  saves: [0, 1],
  derivative: {
    0: (grad, [, mat2]) => grad.bmm(mat2.transpose(1, 2)),
    1: (grad, [self]) => self.transpose(1, 2).bmm(grad),
  },
  samples: samplesOf(
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    [
      [0, 3, 4],
      [0, 4, 5],
    ],
    [
      [3, 1, 7],
      [3, 7, 1],
    ],
  ),
  errors: [
    {
      args: [{ shape: [2, 3, 4] }, { shape: [3, 4, 5] }],
      message: 'Expected size for first two dimensions of batch2 tensor to be: [2, 4] but got: [3, 4].',
    },
  ],
});

/** `matmul` in terms of `mm` and `bmm`: leading dimensions broadcast, 1-d operands get a dimension that goes away again. */
function matmulOf(self: Tensor, other: Tensor): Tensor {
  checkTensor('matmul', 'input', self);
  checkTensor('matmul', 'other', other);
  if (self.ndim === 0 || other.ndim === 0) {
    throw new RuntimeError(
      `both arguments to matmul need to be at least 1D, but they are ${self.ndim}D and ${other.ndim}D`,
    );
  }
  if (self.ndim === 1 && other.ndim === 1) {
    if (self.count !== other.count) {
      throw new RuntimeError(
        `inconsistent tensor size, expected tensor [${self.count}] and src [${other.count}] to have the same number of elements, but got ${self.count} and ${other.count} elements respectively`,
      );
    }
    return self.unsqueeze(0).mm(other.unsqueeze(1)).reshape([]);
  }
  if (self.ndim === 2 && other.ndim === 2) return self.mm(other);
  if (self.ndim === 1) return matmulOf(self.unsqueeze(0), other).squeeze(-2);
  if (other.ndim === 1) {
    if (self.ndim === 2 && self.shape[1] !== other.count) {
      throw new RuntimeError(
        `size mismatch, got input (${self.shape[0]}), mat (${times(self, other.unsqueeze(1)).split(' ')[0]}), vec (${other.count})`,
      );
    }
    return matmulOf(self, other.unsqueeze(1)).squeeze(-1);
  }
  const [n, m] = self.shape.slice(-2);
  const [m2, p] = other.shape.slice(-2);
  if (m !== m2) {
    const rows = other.ndim === 2 ? numelOf(self.shape.slice(0, -1)) : n;
    throw new RuntimeError(`mat1 and mat2 shapes cannot be multiplied (${rows}x${m} and ${m2}x${p})`);
  }
  if (other.ndim === 2) {
    const rows = self.reshape([numelOf(self.shape.slice(0, -1)), m]);
    return rows.mm(other).reshape([...self.shape.slice(0, -1), p]);
  }
  const batch = broadcastShapes(self.shape.slice(0, -2), other.shape.slice(0, -2));
  const count = numelOf(batch);
  const a = self.expand([...batch, n, m]).reshape([count, n, m]);
  const b = other.expand([...batch, m, p]).reshape([count, m, p]);
  return a.bmm(b).reshape([...batch, n, p]);
}

export const matmul: TwoTensors = Object.assign(matmulOf, {
  record: op({
    ...kind,
    name: 'matmul',
    doc: 'Matrix product with broadcast leading dimensions; dot product of two vectors',
    forward: (self: Tensor, other: Tensor) => matmulOf(self, other),
    derivative: 'not differentiable',
    samples: samplesOf(
      [[3], [3]],
      [[3], [3, 4]],
      [[2, 3], [3]],
      [
        [2, 3],
        [3, 4],
      ],
      [
        [2, 3, 4],
        [4, 5],
      ],
      [
        [2, 1, 3, 4],
        [5, 4, 2],
      ],
      [[4], [2, 4, 3]],
      [[2, 3, 4], [4]],
    ),
    errors: [
      {
        args: [{ shape: [2, 3] }, { shape: [4, 5] }],
        message: 'mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)',
      },
      {
        args: [{ shape: [] }, { shape: [4] }],
        message: 'both arguments to matmul need to be at least 1D, but they are 0D and 1D',
      },
    ],
  }).record,
});

export const outer: TwoTensors = op({
  ...kind,
  name: 'outer',
  doc: 'Table of products of two vectors, [n] x [m] -> [n, m]',
  forward(self: Tensor, vec2: Tensor): Tensor {
    checkTensor('outer', 'input', self);
    checkTensor('outer', 'vec2', vec2);
    if (self.ndim !== 1 || vec2.ndim !== 1) {
      throw new RuntimeError(`outer: Expected 1-D arguments, but got ${self.ndim}-D and ${vec2.ndim}-D`);
    }
    return self.unsqueeze(1).mul(vec2);
  },
  saves: [0, 1],
  derivative: {
    0: (grad, [, vec2]) => grad.mul(vec2).sum(1),
    1: (grad, [self]) => grad.mul(self.unsqueeze(1)).sum(0),
  },
  samples: samplesOf([[3], [4]], [[0], [2]]),
});
