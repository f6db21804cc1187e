import { callKernel, kernel, runKernel } from '../backend/backend.js';
import { dtypes, int64 } from '../core/dtype.js';
import { IndexError, RuntimeError } from '../core/errors.js';
import { numelOf, type Shape, wrapDim } from '../core/shape.js';
import { empty, frame, type Tensor } from '../core/tensor.js';
import { castTo, contiguousValues, copyInto } from './iterate.js';
import { checkTensor, type Op, op } from './op.js';

/** Selecting and adding by tensors of indices. */

const bySize = (name: string) => new Map([1, 4, 8].map((bytes) => [bytes, kernel(`${name}_${bytes}`)]));
const selectKernels = bySize('index_select');
const gatherKernels = bySize('gather');
const addKernels = dtypes.map((d) => kernel(`index_add_${d.suffix}`));
const scatterAddKernels = dtypes.map((d) => kernel(`scatter_add_${d.suffix}`));

function checkIndex(op: string, index: Tensor): void {
  checkTensor(op, 'index', index);
  if (index.dtype !== int64 && index.dtype.name !== 'int32') {
    throw new RuntimeError(
      `${op}(): Expected dtype int32/int64 for index, got ${index.dtype}. Make indices with { dtype: 'int64' } or .long().`,
    );
  }
}

function outOfRange(index: Tensor, position: number, size: number): never {
  const flat = contiguousValues(index);
  const { array, start } = flat.elements();
  throw new IndexError(`index ${array[start + position]} is out of bounds for dimension with size ${size}`);
}

const split = (shape: Shape, d: number): [number, number] => [numelOf(shape.slice(0, d)), numelOf(shape.slice(d + 1))];

export const indexSelect: Op<(self: Tensor, dim: number, index: Tensor) => Tensor> = op({
  kind: 'index',
  name: 'indexSelect',
  doc: 'The slices of a dimension that a 1-d tensor of indices names, in its order',
  dtypes,
  forward(self: Tensor, dim: number, index: Tensor): Tensor {
    checkTensor('indexSelect', 'input', self);
    checkIndex('indexSelect', index);
    if (index.ndim > 1) throw new IndexError('index_select(): Index is supposed to be a vector');
    const d = wrapDim(dim, self.ndim);
    const source = contiguousValues(self);
    const places = contiguousValues(castTo(index, int64));
    const size = self.shape[d] ?? 1;
    const [outer, inner] = split(self.shape, d);
    const out = empty(self.ndim === 0 ? [] : self.shape.with(d, index.count), self.dtype);
    const key = selectKernels.get(self.dtype.itemsize) as number;
    const bad = callKernel(key, outer, size, inner, index.count, source.address, places.address, out.address);
    if (bad !== 0) outOfRange(places, bad - 1, size);
    return out;
  },
  saves: [2],
  derivative: { 0: (grad, [self, dim, index]) => grad.newZeros(self.shape).indexAdd(dim, index, grad) },
  samples: [
    { args: [{ shape: [4, 3] }, { value: 0 }, { data: [2, 0, 2], dtype: 'int64' }] },
    { args: [{ shape: [2, 3, 4] }, { value: -1 }, { data: [3, 1], dtype: 'int64' }] },
  ],
  errors: [
    { args: [{ shape: [4] }, { value: 0 }, { data: [4], dtype: 'int64' }], message: 'out of' },
    { args: [{ shape: [4] }, { value: 0 }, { data: [1] }], message: 'Expected dtype int32/int64 for index' },
  ],
});

export const indexAdd: Op<(self: Tensor, dim: number, index: Tensor, source: Tensor) => Tensor> = op({
  kind: 'index',
  name: 'indexAdd',
  doc: 'A copy with slices of source added at the places that a 1-d tensor of indices names',
  dtypes: dtypes.filter((d) => d.itemsize > 1),
  forward(self: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
    checkTensor('indexAdd', 'input', self);
    checkIndex('indexAdd', index);
    checkTensor('indexAdd', 'source', source);
    const d = wrapDim(dim, self.ndim);
    if (source.dtype !== self.dtype) {
      throw new RuntimeError(
        `index_add_(): self (${self.dtype.title}) and source (${source.dtype.title}) must have the same scalar type`,
      );
    }
    const expected = self.shape.with(d, index.count);
    if (source.shape.join() !== expected.join()) {
      throw new RuntimeError(
        `index_add_(): expected source of shape [${expected.join(', ')}], got [${source.shape.join(', ')}]`,
      );
    }
    const out = copyOf(self);
    const places = contiguousValues(castTo(index, int64));
    const [outer, inner] = split(self.shape, d);
    const values = contiguousValues(source);
    const bad = callKernel(
      addKernels[self.dtype.index],
      outer,
      self.shape[d],
      inner,
      index.count,
      out.address,
      places.address,
      values.address,
      1,
    );
    if (bad !== 0) outOfRange(places, bad - 1, self.shape[d]);
    return out;
  },
  saves: [2],
  derivative: { 0: (grad) => grad, 3: (grad, [, dim, index]) => grad.indexSelect(dim, index) },
  samples: [{ args: [{ shape: [4, 3] }, { value: 0 }, { data: [2, 0, 2], dtype: 'int64' }, { shape: [3, 3] }] }],
});

function copyOf(self: Tensor): Tensor {
  const out = empty(self.shape, self.dtype);
  copyInto(out, self);
  return out;
}

/** Runs gather or scatter-add: `table` is indexed along `d`, `values` goes with `index`. */
function runIndexed(key: number, table: Tensor, index: Tensor, values: Tensor, d: number): number {
  if (index.count === 0) return 0;
  const f = frame();
  const nd = Math.max(index.ndim, 1);
  f[0] = nd;
  f[1] = d;
  f[2] = table.address;
  f[3] = index.address;
  f[4] = values.address;
  f[5] = table.shape[d] ?? 1;
  for (let k = 0; k < nd; k++) {
    f[16 + k] = index.shape[k] ?? 1;
    f[16 + nd + k] = table.strides[k] ?? 1;
    f[16 + 2 * nd + k] = index.strides[k] ?? 1;
    f[16 + 3 * nd + k] = values.strides[k] ?? 1;
  }
  return runKernel(key);
}

function checkGather(op: string, self: Tensor, dim: number, index: Tensor): number {
  checkTensor(op, 'input', self);
  checkTensor(op, 'index', index);
  if (index.dtype !== int64) throw new RuntimeError(`${op}(): Expected dtype int64 for index`);
  const d = wrapDim(dim, self.ndim);
  if (index.ndim !== self.ndim && !(index.ndim <= 1 && self.ndim <= 1)) {
    throw new RuntimeError('Index tensor must have the same number of dimensions as input tensor');
  }
  for (let k = 0; k < index.ndim; k++) {
    if (k !== d && index.shape[k] > self.shape[k]) {
      throw new RuntimeError(
        `Size does not match at dimension ${k} expected index [${index.shape.join(', ')}] to be no larger than self [${self.shape.join(', ')}] apart from dimension ${d}`,
      );
    }
  }
  return d;
}

export const gather: Op<(self: Tensor, dim: number, index: Tensor) => Tensor> = op({
  kind: 'index',
  name: 'gather',
  doc: 'out[i][j] = input[index[i][j]][j] for dim 0, and so on; index has as many dimensions as input',
  dtypes,
  forward(self: Tensor, dim: number, index: Tensor): Tensor {
    const d = checkGather('gather', self, dim, index);
    const out = empty(index.shape, self.dtype);
    const bad = runIndexed(gatherKernels.get(self.dtype.itemsize) as number, self, index, out, d);
    if (bad !== 0) outOfRange(index, bad - 1, self.shape[d]);
    return out;
  },
  saves: [2],
  derivative: { 0: (grad, [self, dim, index]) => grad.newZeros(self.shape).scatterAdd(dim, index, grad) },
  samples: [
    {
      args: [
        { shape: [3, 4] },
        { value: 1 },
        {
          data: [
            [0, 3],
            [1, 1],
            [2, 0],
          ],
          dtype: 'int64',
        },
      ],
    },
    { args: [{ shape: [3, 4] }, { value: 0 }, { data: [[0, 2, 1]], dtype: 'int64' }] },
  ],
  errors: [
    {
      args: [{ shape: [3, 4] }, { value: 1 }, { data: [[4]], dtype: 'int64' }],
      message: 'index 4 is out of bounds for dimension',
    },
  ],
});

export const scatterAdd: Op<(self: Tensor, dim: number, index: Tensor, src: Tensor) => Tensor> = op({
  kind: 'index',
  name: 'scatterAdd',
  doc: 'A copy with out[index[i][j]][j] += src[i][j] for dim 0, and so on',
  dtypes: dtypes.filter((d) => d.itemsize > 1),
  forward(self: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
    const d = checkGather('scatterAdd', self, dim, index);
    checkTensor('scatterAdd', 'src', src);
    if (src.dtype !== self.dtype) throw new RuntimeError('scatter(): Expected self.dtype to be equal to src.dtype');
    for (let k = 0; k < index.ndim; k++) {
      if (index.shape[k] > src.shape[k]) {
        throw new RuntimeError(
          `Expected index [${index.shape.join(', ')}] to be no larger than self [${self.shape.join(', ')}] apart from dimension ${d} and to be no larger size than src [${src.shape.join(', ')}]`,
        );
      }
    }
    const out = copyOf(self);
    const bad = runIndexed(scatterAddKernels[self.dtype.index], out, index, src, d);
    if (bad !== 0) outOfRange(index, bad - 1, self.shape[d]);
    return out;
  },
  saves: [2],
  derivative: {
    0: (grad) => grad,
    3: (grad, [, dim, index, src]) => {
      const picked = grad.gather(dim, index);
      // Elements of src beyond the index took no part.
      return picked.shape.join() === src.shape.join() ? picked : padTo(picked, src.shape);
    },
  },
  samples: [
    {
      args: [
        { shape: [3, 4] },
        { value: 1 },
        {
          data: [
            [0, 3],
            [1, 1],
            [2, 0],
          ],
          dtype: 'int64',
        },
        { shape: [3, 2] },
      ],
    },
  ],
});

/** Zeros of `shape` with `part` in the corner at the origin. */
function padTo(part: Tensor, shape: Shape): Tensor {
  let out = part;
  for (let d = 0; d < shape.length; d++) {
    if (out.shape[d] === shape[d]) continue;
    const places = part.newZeros([out.shape[d]], { dtype: int64 });
    const { array, start } = places.elements();
    for (let i = 0; i < out.shape[d]; i++) (array as BigInt64Array)[start + i] = BigInt(i);
    out = part.newZeros(out.shape.with(d, shape[d])).indexAdd(d, places, out);
  }
  return out;
}
