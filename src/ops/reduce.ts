import { kernel, runKernel } from '../backend/backend.js';
import {
  bool,
  type DType,
  type DTypeLike,
  dtypes,
  float32,
  float64,
  getDefaultDtype,
  int64,
  toDType,
  uint8,
} from '../core/dtype.js';
import { checkOptions, IndexError, NotImplementedError, RuntimeError } from '../core/errors.js';
import { type Shape, wrapDim, wrapDims } from '../core/shape.js';
import { isGradEnabled } from '../core/tape.js';
import { empty, frame, Tensor } from '../core/tensor.js';
import { castTo, fillWith } from './iterate.js';
import { attach, checkTensor, FunctionNode, nodeName, type Op, type OpRecord, op, record, type Sample } from './op.js';

/** Reductions: sums, products, extrema, statistics, over all elements or over some dimensions. */

/** The dimensions to reduce: one, several, or (left out) all. */
export type Dims = number | readonly number[] | null;
export interface ReduceOptions {
  dim?: Dims;
  keepdim?: boolean;
  dtype?: DTypeLike;
}
/** `x.sum()`, `x.sum(1)`, `x.sum([0, 1], { keepdim: true })`, `x.sum(1, true)` and `x.sum({ dim: 1 })` all work. */
export type ReduceArgs = [dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean];

interface Plan {
  dims: number[];
  keepdim: boolean;
  dtype: DType | undefined;
  shape: number[];
}

function readArgs(name: string, self: Tensor, args: readonly unknown[], known: readonly string[]): Plan {
  checkTensor(name, 'input', self);
  let [dim, options] = args as [Dims | ReduceOptions | undefined, ReduceOptions | boolean | undefined];
  if (dim !== null && typeof dim === 'object' && !Array.isArray(dim)) {
    options = dim as ReduceOptions;
    dim = options.dim;
  }
  if (typeof options === 'boolean') options = { keepdim: options };
  checkOptions(name, options, known);
  dim = (dim ?? options?.dim) as Dims | undefined;
  if (dim !== undefined && dim !== null && typeof dim !== 'number' && !Array.isArray(dim)) {
    throw new TypeError(`${name}(): argument 'dim' must be a number or a list of numbers, not ${typeof dim}`);
  }
  const all = dim === undefined || dim === null || (Array.isArray(dim) && dim.length === 0);
  const dims = all
    ? self.shape.map((_, d) => d)
    : wrapDims(typeof dim === 'number' ? [dim] : (dim as number[]), self.ndim);
  const keepdim = options?.keepdim ?? false;
  const shape: number[] = [];
  for (let d = 0; d < self.ndim; d++) {
    if (!dims.includes(d)) shape.push(self.shape[d]);
    else if (keepdim) shape.push(1);
  }
  return {
    dims: dims.filter((d) => d < self.ndim),
    keepdim,
    dtype: options?.dtype === undefined ? undefined : toDType(options.dtype),
    shape,
  };
}

/** Runs a reduction kernel; kept dimensions come out in order (frame: kernels/reduce.h). */
function runReduce(
  key: number,
  self: Tensor,
  dims: readonly number[],
  out: Tensor,
  param: number,
  second?: Tensor,
): void {
  if (out.count === 0) return;
  const f = frame();
  f[1] = out.address;
  f[2] = self.address;
  f[4] = param;
  f[5] = second === undefined ? 0 : second.address;
  let kept = 0;
  let reduced = 0;
  const { shape, strides } = self;
  for (let d = 0; d < shape.length; d++) {
    if (dims.includes(d)) reduced++;
    else kept++;
  }
  f[0] = kept;
  f[3] = reduced;
  let k = 16;
  let r = 16 + 2 * kept;
  for (let d = 0; d < shape.length; d++) {
    if (dims.includes(d)) {
      f[r] = shape[d];
      f[r + reduced] = strides[d];
      r++;
    } else {
      f[k] = shape[d];
      f[k + kept] = strides[d];
      k++;
    }
  }
  runKernel(key);
}

const kernels = (name: string) => dtypes.map((d) => kernel(`${name}_${d.suffix}`));

/** The gradient in the shape it had before the reduced dimensions went away. */
function restore(grad: Tensor, plan: Plan): Tensor {
  if (plan.keepdim) return grad;
  let out = grad;
  for (const d of plan.dims.slice().sort((a, b) => a - b)) out = out.unsqueeze(d);
  return out;
}

const samples: Sample[] = [
  { args: [{ shape: [3, 4] }] },
  { args: [{ shape: [2, 3, 4] }, { value: 1 }] },
  { args: [{ shape: [2, 3, 4] }, { value: [0, -1] }, { value: { keepdim: true } }] },
  { args: [{ shape: [] }] },
  { args: [{ shape: [5] }, { value: 0 }, { value: { keepdim: true } }] },
];
const severalDims: Sample = { args: [{ shape: [2, 3, 4] }, { value: [0, 2] }] };
const emptySamples: Sample[] = [{ args: [{ shape: [0, 3] }, { value: 0 }] }, { args: [{ shape: [0] }] }];
const withDtype = (...names: string[]): Sample[] =>
  names.map((dtype) => ({ args: [{ shape: [2, 3] }, { value: { dim: 1, keepdim: true, dtype } }] }));
const dimErrors = [
  {
    args: [{ shape: [2, 3] }, { value: 2 }],
    message: 'Dimension out of range (expected to be in range of [-2, 1], but got 2)',
  },
  { args: [{ shape: [2, 3] }, { value: [0, 0] }], message: 'dim 0 appears multiple times in the list of dims' },
  { args: [{ shape: [2, 3] }, { value: 0 }, { value: { keepDim: true } }], message: "did you mean 'keepdim'?" },
];

export type Reduction = Op<(self: Tensor, ...args: ReduceArgs) => Tensor>;

interface ReductionSpec extends Partial<OpRecord> {
  name: string;
  doc: string;
  /** Options besides `dim` and `keepdim`. */
  options?: readonly string[];
  compute: (self: Tensor, plan: Plan, args: readonly unknown[]) => Tensor;
  /** Gradient of the input; `grad` has the kept shape of `plan` with the reduced dimensions as 1, as `result` has. */
  derivative?: (grad: Tensor, self: Tensor, plan: Plan, result: Tensor, args: readonly unknown[]) => Tensor;
  saves?: 'self' | 'self and result';
}

function reduction(spec: ReductionSpec): Reduction {
  const known = ['dim', 'keepdim', ...(spec.options ?? [])];
  const saves = spec.saves !== undefined;
  const { compute, derivative } = spec;
  return op({
    kind: 'reduction',
    samples: [...samples, severalDims],
    errors: dimErrors,
    dtypes,
    ...spec,
    forward: (self: Tensor, ...args: ReduceArgs) => compute(self, readArgs(spec.name, self, args, known), args),
    saves: saves ? [0] : [],
    savesResult: spec.saves === 'self and result',
    derivative:
      derivative === undefined
        ? 'not differentiable'
        : {
            0: (grad, [self, ...args], result) => {
              // An unsaved input still has its shape and dtype, which is all that the plan reads.
              const plan = planOf(self, args, spec.name, known);
              const out = result === undefined ? result : restore(result, plan);
              return derivative(restore(grad, plan), self, plan, out, args);
            },
          },
  });
}

function planOf(self: Tensor, args: readonly unknown[], name: string, known: readonly string[]): Plan {
  const standIn = self instanceof Tensor ? self : empty([], float32);
  if (self instanceof Tensor) return readArgs(name, self, args, known);
  const like = Object.create(standIn, {
    shape: { value: (self as Tensor).shape },
    ndim: { value: (self as Tensor).shape.length },
  }) as Tensor;
  return readArgs(name, like, args, known);
}

const countOf = (shape: Shape, dims: readonly number[]) => dims.reduce((n, d) => n * shape[d], 1);

const sumKernels = kernels('sum');

function sumInto(self: Tensor, plan: Plan, dtype: DType, divisor: number): Tensor {
  const out = empty(plan.shape, dtype);
  runReduce(sumKernels[dtype.index], castTo(self, dtype), plan.dims, out, divisor);
  return out;
}

export const sum: Reduction = reduction({
  name: 'sum',
  doc: 'Sum of elements. Integers and bools sum to int64.',
  options: ['dtype'],
  samples: [...samples, severalDims, ...emptySamples, ...withDtype('float64', 'int32')],
  compute: (self, plan) => {
    const dtype = plan.dtype ?? (self.dtype.category === 'float' ? self.dtype : int64);
    if (dtype.category !== 'float' && dtype !== int64) return castTo(sumInto(self, plan, int64, 1), dtype);
    return sumInto(self, plan, dtype, 1);
  },
  derivative: (grad, self) => grad.to(self.dtype).expand(self.shape),
});

export const mean: Reduction = reduction({
  name: 'mean',
  doc: 'Sum of elements divided by their count',
  options: ['dtype'],
  samples: [...samples, severalDims, ...emptySamples, ...withDtype('float64')],
  dtypes: [float32, float64],
  compute: (self, plan) => {
    const dtype = plan.dtype ?? self.dtype;
    if (dtype.category !== 'float') {
      throw new RuntimeError(
        `mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: ${dtype.title}`,
      );
    }
    return sumInto(self, plan, dtype, countOf(self.shape, plan.dims));
  },
  derivative: (grad, self, plan) => grad.to(self.dtype).div(countOf(self.shape, plan.dims)).expand(self.shape),
  errors: [...dimErrors, { args: [{ data: [1, 2], dtype: 'int64' }], message: 'mean(): could not infer output dtype' }],
});

const prodKernels = kernels('prod');

export const prod: Reduction = reduction({
  name: 'prod',
  doc: 'Product of elements. Integers and bools multiply to int64. The gradient is right with zeros among them.',
  options: ['dtype'],
  samples: [
    ...samples.slice(0, 2),
    ...samples.slice(3),
    ...withDtype('float64', 'int32'),
    {
      args: [
        {
          data: [
            [1.5, 0, 2],
            [0, 3, 0],
            [1, 2, 3],
          ],
        },
        { value: 1 },
      ],
    },
  ],
  saves: 'self and result',
  compute: (self, plan) => {
    const dtype = plan.dtype ?? (self.dtype.category === 'float' ? self.dtype : int64);
    const work = dtype.category === 'float' ? dtype : int64;
    const out = empty(plan.shape, work);
    runReduce(prodKernels[work.index], castTo(self, work), plan.dims, out, 1);
    return castTo(out, dtype);
  },
  derivative: (grad, input, plan) => {
    const self = input.to(grad.dtype);
    if (!isGradEnabled()) {
      // Without further derivatives: the product of the others from the count of zeros and the product of the rest.
      const isZero = self.eq(0);
      const zeros = isZero.sum(plan.dims, { keepdim: true });
      const rest = self.where(isZero.logicalNot(), 1).prod(plan.dims, { keepdim: true });
      const others = rest
        .div(self.where(isZero.logicalNot(), 1))
        .where(zeros.eq(0), rest.where(isZero.logicalAnd(zeros.eq(1)), 0));
      return grad.mul(others).to(input.dtype);
    }
    return grad.mul(productOfOthers(self, plan.dims)).to(input.dtype);
  },
});

/** For each element the product of the others along `dims`, by an n x n table with ones on the diagonal. */
function productOfOthers(self: Tensor, dims: readonly number[]): Tensor {
  const kept = self.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const order = [...kept, ...dims];
  const n = countOf(self.shape, dims);
  const moved = self.permute(order).reshape([...kept.map((d) => self.shape[d]), n]);
  const diagonal = self.newZeros([n, n]).to(bool);
  const { array, start } = diagonal.elements();
  for (let i = 0; i < n; i++) (array as Uint8Array)[start + i * (n + 1)] = 1;
  const table = moved.unsqueeze(-2).expand([...kept.map((d) => self.shape[d]), n, n]);
  const others = table.where(diagonal.logicalNot(), 1).prod(-1);
  const inverse = new Array<number>(order.length);
  order.forEach((d, i) => {
    inverse[d] = i;
  });
  return others.reshape(order.map((d) => self.shape[d])).permute(inverse);
}

function checkNonEmpty(name: string, self: Tensor, plan: Plan): void {
  if (plan.dims.every((d) => self.shape[d] !== 0)) return;
  if (plan.dims.length === self.ndim) {
    throw new RuntimeError(
      `${name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`,
    );
  }
  throw new IndexError(`${name}(): Expected reduction dim ${plan.dims[0]} to have non-zero size.`);
}

function extremum(name: 'amax' | 'amin', doc: string): Reduction {
  const keys = kernels(name);
  return reduction({
    name,
    doc: `${doc}; NaN wins. Tied elements share the gradient evenly.`,
    saves: 'self and result',
    errors: [...dimErrors, { args: [{ shape: [0] }], message: 'Expected reduction dim to be specified' }],
    compute: (self, plan) => {
      checkNonEmpty(name, self, plan);
      const work = self.dtype === bool ? castTo(self, dtypes[1]) : self;
      const out = empty(plan.shape, work.dtype);
      runReduce(keys[work.dtype.index], work, plan.dims, out, 0);
      return castTo(out, self.dtype);
    },
    derivative: (grad, self, plan, result) => {
      const ties = self.eq(result).to(grad.dtype);
      return grad.mul(ties).div(ties.sum(plan.dims, { keepdim: true }));
    },
  });
}

export const amax: Reduction = extremum('amax', 'Largest element');
export const amin: Reduction = extremum('amin', 'Smallest element');

export type IndexReduction = Op<
  (self: Tensor, dim?: number | null, options?: { keepdim?: boolean } | boolean) => Tensor
>;

function position(name: 'argmax' | 'argmin', doc: string): IndexReduction {
  const keys = kernels(name);
  return op({
    name,
    kind: 'reduction',
    doc: `${doc}, as int64: along dim, or in the flattened tensor. The first of several.`,
    dtypes: dtypes.filter((d) => d !== bool),
    samples: [
      { args: [{ shape: [3, 4] }] },
      { args: [{ shape: [2, 3, 4] }, { value: 1 }] },
      { args: [{ shape: [3] }, { value: 0 }, { value: { keepdim: true } }] },
    ],
    errors: dimErrors.slice(0, 1),
    forward: (self: Tensor, dim: number | null = null, options?: { keepdim?: boolean } | boolean) => {
      const plan = readArgs(name, self, [dim, options], ['dim', 'keepdim']);
      if (self.dtype === bool) throw new NotImplementedError(`"${name}_cpu" not implemented for 'Bool'`);
      checkNonEmpty(name, self, plan);
      const out = empty(plan.shape, int64);
      runReduce(keys[self.dtype.index], self, plan.dims, out, 0);
      return out;
    },
    derivative: 'not differentiable',
  });
}

export const argmax: IndexReduction = position('argmax', 'Index of the largest element');
export const argmin: IndexReduction = position('argmin', 'Index of the smallest element');

function truth(name: 'any' | 'all', doc: string): Reduction {
  const key = kernel(`${name}_bool`);
  return reduction({
    name,
    doc,
    samples: [...samples.slice(0, 3), ...emptySamples],
    compute: (self, plan) => {
      const out = empty(plan.shape, bool);
      runReduce(key, castTo(self, bool), plan.dims, out, 0);
      // PyTorch keeps uint8, which once stood for bool.
      return self.dtype === uint8 ? castTo(out, uint8) : out;
    },
  });
}

export const any: Reduction = truth('any', 'Whether any element is non-zero');
export const all: Reduction = truth('all', 'Whether all elements are non-zero');

const varKernels = kernels('var');
const correctionOf = (args: readonly unknown[]): number => {
  const last = args.findLast((a) => a !== null && typeof a === 'object' && !Array.isArray(a)) as
    | { correction?: number; unbiased?: boolean }
    | undefined;
  return last?.correction ?? (last?.unbiased === false ? 0 : 1);
};

function variance(self: Tensor, plan: Plan, args: readonly unknown[], name: string): Tensor {
  if (self.dtype.category !== 'float') throw new RuntimeError(`${name} only support floating point and complex dtypes`);
  const out = empty(plan.shape, self.dtype);
  runReduce(varKernels[self.dtype.index], self, plan.dims, out, correctionOf(args));
  return out;
}

const varianceGradient = (grad: Tensor, self: Tensor, plan: Plan, args: readonly unknown[]): Tensor => {
  const n = Math.max(0, countOf(self.shape, plan.dims) - correctionOf(args));
  return grad.mul(2 / n).mul(self.sub(self.mean(plan.dims, { keepdim: true })));
};

type Statistic = Op<
  (
    self: Tensor,
    dim?: Dims | (ReduceOptions & { correction?: number; unbiased?: boolean }),
    options?: (ReduceOptions & { correction?: number; unbiased?: boolean }) | boolean,
  ) => Tensor
>;

/** `var` is a word of the language, so the function is exported as `var` from here under another name. */
const varOp: Statistic = reduction({
  name: 'var',
  doc: 'Variance: squared deviations from the mean, summed and divided by n - correction (default 1)',
  options: ['correction', 'unbiased'],
  dtypes: [float32, float64],
  saves: 'self',
  samples: [
    ...samples.slice(0, 3),
    severalDims,
    { args: [{ shape: [3, 4] }, { value: 0 }, { value: { correction: 0 } }] },
    { args: [{ shape: [3, 4] }, { value: { dim: 1, unbiased: false } }] },
  ],
  compute: (self, plan, args) => variance(self, plan, args, 'var'),
  derivative: (grad, self, plan, _, args) => varianceGradient(grad, self, plan, args),
}) as Statistic;

export { varOp as var };

export const std: Statistic = reduction({
  name: 'std',
  doc: 'Square root of the variance; the gradient is 0 where it is 0',
  options: ['correction', 'unbiased'],
  dtypes: [float32, float64],
  saves: 'self and result',
  samples: [
    ...samples.slice(0, 3),
    severalDims,
    { args: [{ shape: [3, 4] }, { value: 0 }, { value: { correction: 0 } }] },
    { args: [{ shape: [3, 4] }, { value: { dim: 1, unbiased: false } }] },
  ],
  compute: (self, plan, args) => variance(self, plan, args, 'std').sqrt(),
  derivative: (grad, self, plan, result, args) =>
    varianceGradient(grad.div(result.mul(2)).where(result.ne(0), 0), self, plan, args),
}) as Statistic;

/** What PyTorch returns as a named tuple: fields that also destructure in order. */
export interface ValuesIndices extends Iterable<Tensor> {
  readonly values: Tensor;
  readonly indices: Tensor;
}

class NamedPair implements ValuesIndices {
  readonly #name: string;

  constructor(
    name: string,
    readonly values: Tensor,
    readonly indices: Tensor,
  ) {
    this.#name = name;
  }

  toString(): string {
    return `torch.return_types.${this.#name}(\nvalues=${this.values},\nindices=${this.indices})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return String(this);
  }

  *[Symbol.iterator](): Iterator<Tensor> {
    yield this.values;
    yield this.indices;
  }
}

interface MaxMethod {
  (): Tensor;
  (dim: number, options?: { keepdim?: boolean } | boolean): ValuesIndices;
  (other: Tensor): Tensor;
}
interface MaxFunction {
  (self: Tensor): Tensor;
  (self: Tensor, dim: number, options?: { keepdim?: boolean } | boolean): ValuesIndices;
  (self: Tensor, other: Tensor): Tensor;
}
type MaxOp = Op<MaxFunction, never, MaxMethod>;

function maxLike(name: 'max' | 'min'): MaxOp {
  const keys = kernels(`${name}dim`);
  const whole = name === 'max' ? amax : amin;
  const run = (self: Tensor, dim?: number | Tensor, options?: { keepdim?: boolean } | boolean) => {
    checkTensor(name, 'input', self);
    if (dim === undefined) return whole(self);
    if (dim instanceof Tensor) return name === 'max' ? self.maximum(dim) : self.minimum(dim);
    const plan = readArgs(name, self, [dim, options], ['keepdim']);
    checkNonEmpty(name, self, plan);
    const work = self.dtype === bool ? castTo(self, dtypes[1]) : self;
    const values = empty(plan.shape, work.dtype);
    const indices = empty(plan.shape, int64);
    runReduce(keys[work.dtype.index], work, plan.dims, values, 0, indices);
    const result = castTo(values, self.dtype);
    if (isGradEnabled() && self.requiresGrad) {
      const d = wrapDim(dim, self.ndim);
      const { shape } = self;
      const node = new FunctionNode(nodeName(name), [self], (grad) => {
        const at = plan.keepdim ? indices : indices.unsqueeze(d);
        const g = plan.keepdim ? grad : grad.unsqueeze(d);
        if (shape.length === 0) return [grad];
        return [g.newZeros(shape).scatterAdd(d, at, g)];
      });
      record(result, node);
    }
    return new NamedPair(name, result, indices);
  };
  return attach(run, {
    name,
    kind: 'reduction',
    doc: `${name === 'max' ? 'Largest' : 'Smallest'} element of all; with a dimension { values, indices } along it; with a tensor ${name}imum`,
    inplace: false,
    differentiable: true,
    dtypes,
    samples: [
      { args: [{ shape: [3, 4] }] },
      { args: [{ shape: [3, 4] }, { value: 1 }] },
      { args: [{ shape: [3, 4] }, { value: 0 }, { value: { keepdim: true } }] },
      { args: [{ shape: [3] }, { shape: [3] }] },
    ],
    errors: dimErrors.slice(0, 1),
  }) as unknown as MaxOp;
}

export const max: MaxOp = maxLike('max');
export const min: MaxOp = maxLike('min');

export const logsumexp: Reduction = reduction({
  name: 'logsumexp',
  doc: 'log(sum(exp(input))), computed from the largest element so that nothing overflows',
  dtypes: [float32, float64],
  saves: 'self and result',
  samples: [...samples.slice(0, 4), severalDims],
  extension: 'without dim it reduces over all elements, as the other reductions do',
  compute: (self, plan) => {
    const x = self.dtype.category === 'float' ? self : castTo(self, getDefaultDtype());
    if (countOf(self.shape, plan.dims) === 0) {
      const out = empty(plan.shape, x.dtype);
      fillWith(out, Number.NEGATIVE_INFINITY);
      return out;
    }
    const top = x.amax(plan.dims, { keepdim: true });
    const safe = top.where(top.abs().ne(Number.POSITIVE_INFINITY), 0);
    return x.sub(safe).exp().sum(plan.dims, { keepdim: true }).log().add(safe).reshape(plan.shape);
  },
  derivative: (grad, self, _plan, result) => grad.mul(self.sub(result).exp()),
});
