import { dtypes, int64 } from '../core/dtype.js';
import { checkOptions, RuntimeError } from '../core/errors.js';
import { defaultGenerator, type Generator } from '../core/generator.js';
import * as fill from '../core/random-fill.js';
import { isGradEnabled } from '../core/tape.js';
import { empty, type Tensor } from '../core/tensor.js';
import { checkMutable } from './inplace.js';
import { contiguousValues, copyInto } from './iterate.js';
import { attach, checkTensor, type Op, type Sample } from './op.js';

/** Filling with random numbers, the same numbers as PyTorch's CPU generator for a seed. */

export interface RandomOptions {
  generator?: Generator | null;
}

type FloatArray = fill.FloatOut;

/** Lets `draw` write the elements of `self` in row-major order. */
function fillRandom<A extends fill.AnyOut>(
  name: string,
  self: Tensor,
  options: RandomOptions | undefined,
  draw: (g: Generator, out: A) => void,
): Tensor {
  checkTensor(name, 'input', self);
  checkOptions(name, options, ['generator']);
  checkMutable(self);
  const flat = self.isContiguous();
  const target = flat ? self : empty(self.shape, self.dtype);
  const { array, start } = target.elements();
  draw(options?.generator ?? defaultGenerator(), array.subarray(start, start + self.count) as A);
  if (!flat) copyInto(self, target);
  self.storage.version++;
  if (isGradEnabled() && self.requiresGrad) {
    throw new RuntimeError(
      `${name}(): filling a tensor that requires grad at random is not recorded; wrap it in noGrad`,
    );
  }
  return self;
}

function needFloat(name: string, self: Tensor, op = name): void {
  checkTensor(op, 'input', self);
  if (self.dtype.category !== 'float') throw new RuntimeError(`"${name}" not implemented for '${self.dtype.title}'`);
}

/** Calls with each list of arguments, of sizes below and above 16 where the generator's ways part. */
const fills = (...lists: number[][]): Sample[] =>
  lists.flatMap((list) => [[5], [4, 7]].map((shape) => ({ args: [{ shape }, ...list.map((value) => ({ value }))] })));

const spec = { kind: 'random', inplace: false, differentiable: false, dtypes, samples: [], errors: [] } as const;
type Fill<A extends unknown[]> = Op<(self: Tensor, ...args: A) => Tensor>;

export const uniform_: Fill<[from?: number, to?: number, options?: RandomOptions]> = attach(
  (self: Tensor, from = 0, to = 1, options?: RandomOptions) => {
    needFloat('check_uniform_bounds', self, 'uniform_');
    if (!(from <= to))
      throw new RuntimeError(`uniform_ expects to return a [from, to) range, but found from=${from} > to=${to}`);
    return fillRandom<FloatArray>('uniform_', self, options, (g, out) => fill.uniform_(g, out, from, to));
  },
  {
    ...spec,
    name: 'uniform_',
    doc: 'Numbers from the uniform distribution over [from, to)',
    samples: fills([], [-1, 3]),
  },
);

export const normal_: Fill<[mean?: number, std?: number, options?: RandomOptions]> = attach(
  (self: Tensor, mean = 0, std = 1, options?: RandomOptions) => {
    needFloat('normal_kernel_cpu', self, 'normal_');
    if (std < 0) throw new RuntimeError(`normal expects std >= 0.0, but found std ${std}`);
    const draw = self.isContiguous() ? fill.normal_ : fill.normalSerial_;
    return fillRandom<FloatArray>('normal_', self, options, (g, out) => draw(g, out, mean, std));
  },
  {
    ...spec,
    name: 'normal_',
    doc: 'Numbers from the normal distribution with mean and std',
    samples: fills([], [1, 0.5]),
  },
);

export const exponential_: Fill<[lambd?: number, options?: RandomOptions]> = attach(
  (self: Tensor, lambd = 1, options?: RandomOptions) => {
    needFloat('exponential_cpu', self, 'exponential_');
    return fillRandom<FloatArray>('exponential_', self, options, (g, out) => fill.exponential_(g, out, lambd));
  },
  {
    ...spec,
    name: 'exponential_',
    doc: 'Numbers from the exponential distribution with rate lambd',
    samples: fills([], [2]),
  },
);

export const bernoulli_: Fill<[p?: number | Tensor, options?: RandomOptions]> = attach(
  (self: Tensor, p: number | Tensor = 0.5, options?: RandomOptions) => {
    if (typeof p === 'number') return fillRandom('bernoulli_', self, options, (g, out) => fill.bernoulli_(g, out, p));
    checkTensor('bernoulli_', 'p', p);
    needFloat('bernoulli_tensor_cpu_p_', p);
    const chances = contiguousValues(p.expand(self.shape));
    const { array, start } = chances.elements();
    const values = array.subarray(start, start + chances.count) as FloatArray;
    return fillRandom('bernoulli_', self, options, (g, out) => fill.bernoulliTensor_(g, out, values));
  },
  {
    ...spec,
    name: 'bernoulli_',
    doc: '1 with probability p, else 0',
    samples: [...fills([], [0.3]), { args: [{ shape: [3, 4] }, { data: [0, 0.2, 0.9, 1], dtype: 'float64' }] }],
  },
);

export const random_: Fill<[from?: number | null, to?: number | null, options?: RandomOptions]> = attach(
  (self: Tensor, from: number | null = null, to: number | null = null, options?: RandomOptions) => {
    checkTensor('random_', 'input', self);
    const isBool = self.dtype.category === 'bool';
    if (from === null) return fillRandom('random_', self, options, (g, out) => fill.random_(g, out, isBool));
    const [low, high] = to === null ? [0, from] : [from, to];
    return fillRandom('random_', self, options, (g, out) => fill.randomFromTo_(g, out, low, high, isBool));
  },
  {
    ...spec,
    name: 'random_',
    doc: 'Whole numbers from [from, to), or from all that the dtype holds',
    samples: fills([], [10], [3, 7]),
  },
);

export const multinomial: Op<
  (self: Tensor, numSamples: number, options?: RandomOptions & { replacement?: boolean }) => Tensor
> = attach(
  (self: Tensor, numSamples: number, options?: RandomOptions & { replacement?: boolean }) => {
    checkTensor('multinomial', 'input', self);
    checkOptions('multinomial', options, ['replacement', 'generator']);
    needFloat('multinomial', self);
    if (self.ndim < 1 || self.ndim > 2) throw new RuntimeError('prob_dist must be 1 or 2 dim');
    const weights = contiguousValues(self);
    const { array, start } = weights.elements();
    const categories = self.shape[self.ndim - 1];
    const out = empty([...self.shape.slice(0, -1), numSamples], int64);
    const target = out.elements();
    fill.multinomial(
      options?.generator ?? defaultGenerator(),
      array.subarray(start, start + self.count) as FloatArray,
      categories,
      numSamples,
      options?.replacement ?? false,
      (target.array as BigInt64Array).subarray(target.start, target.start + out.count),
    );
    return out;
  },
  {
    ...spec,
    name: 'multinomial',
    doc: 'Indices drawn with the probabilities that the rows of input are in proportion to',
    samples: [
      { args: [{ shape: [2, 5], low: 0.1, high: 1 }, { value: 3 }] },
      { args: [{ shape: [4], low: 0.1, high: 1 }, { value: 6 }, { value: { replacement: true } }] },
    ],
  },
);
