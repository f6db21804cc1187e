import { float64 } from '../core/dtype.js';
import { checkOptions, describe, ValueError } from '../core/errors.js';
import { defaultGenerator, Generator } from '../core/generator.js';
import { randomFromTo_, randperm, seedFromRandom64 } from '../core/random-fill.js';
import type { Tensor } from '../core/tensor.js';
import { multinomial } from '../ops/random.js';
import { type TensorData, tensor } from '../tensor/create.js';

/** The order in which a loader reads: each iteration over a sampler is one epoch. */

interface Sized {
  readonly length: number;
}

/** Base of samplers; a `length` is needed where the loader's is asked for. */
export abstract class Sampler<T = number> implements Iterable<T> {
  abstract [Symbol.iterator](): Iterator<T>;
}

function checkCount(name: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) <= 0) {
    throw new ValueError(`${name} should be a positive integer value, but got ${name}=${describe(value)}`);
  }
}

function checkFlag(name: string, value: unknown): void {
  if (typeof value !== 'boolean')
    throw new TypeError(`${name} should be a boolean value, but got ${name}=${describe(value)}`);
}

function* permutation(n: number, generator: Generator, count = n): Indices {
  const order = new Int32Array(n);
  randperm(generator, order);
  for (let i = 0; i < count; i++) yield order[i];
}

type Indices = globalThis.Generator<number, void, undefined>;

/** 0, 1, 2, ... */
export class SequentialSampler extends Sampler {
  constructor(readonly dataSource: Sized) {
    super();
  }

  get length(): number {
    return this.dataSource.length;
  }

  *[Symbol.iterator](): Iterator<number> {
    const n = this.length;
    for (let i = 0; i < n; i++) yield i;
  }
}

export interface RandomSamplerOptions {
  /** Whether a sample may come more than once. */
  replacement?: boolean;
  /** How many to draw; by default as many as there are. */
  numSamples?: number | null;
  generator?: Generator | null;
}

/** All samples in random order, or draws with replacement. Without a generator each epoch seeds one of its own. */
export class RandomSampler extends Sampler {
  readonly replacement: boolean;
  readonly generator: Generator | null;
  private readonly count: number | null;

  constructor(
    readonly dataSource: Sized,
    options?: RandomSamplerOptions,
  ) {
    super();
    checkOptions('RandomSampler', options, ['replacement', 'numSamples', 'generator']);
    this.replacement = options?.replacement ?? false;
    this.count = options?.numSamples ?? null;
    this.generator = options?.generator ?? null;
    checkFlag('replacement', this.replacement);
    checkCount('numSamples', this.numSamples);
  }

  get numSamples(): number {
    return this.count ?? this.dataSource.length;
  }

  get length(): number {
    return this.numSamples;
  }

  *[Symbol.iterator](): Iterator<number> {
    const n = this.dataSource.length;
    const generator = this.generator ?? new Generator(seedFromRandom64(defaultGenerator()));
    if (this.replacement) {
      for (let left = this.numSamples; left > 0; left -= 32) {
        const drawn = new Int32Array(Math.min(left, 32));
        randomFromTo_(generator, drawn, 0, n);
        yield* drawn;
      }
      return;
    }
    const { numSamples } = this;
    for (let round = 0; round < Math.floor(numSamples / n); round++) yield* permutation(n, generator);
    // PyTorch draws this last order even where none of it is left to give, which moves a generator that was handed in.
    yield* permutation(n, generator, numSamples % n);
  }
}

/** The given indices in random order. */
export class SubsetRandomSampler extends Sampler {
  readonly generator: Generator | null;

  constructor(
    readonly indices: readonly number[],
    options?: { generator?: Generator | null },
  ) {
    super();
    checkOptions('SubsetRandomSampler', options, ['generator']);
    this.generator = options?.generator ?? null;
  }

  get length(): number {
    return this.indices.length;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (const i of permutation(this.length, this.generator ?? defaultGenerator())) yield this.indices[i];
  }
}

/** Indices drawn with probabilities in proportion to `weights`, with replacement unless told otherwise. */
export class WeightedRandomSampler extends Sampler {
  readonly weights: Tensor;
  readonly replacement: boolean;
  readonly generator: Generator | null;

  constructor(
    weights: TensorData,
    readonly numSamples: number,
    options?: { replacement?: boolean; generator?: Generator | null },
  ) {
    super();
    checkOptions('WeightedRandomSampler', options, ['replacement', 'generator']);
    checkCount('numSamples', numSamples);
    this.replacement = options?.replacement ?? true;
    checkFlag('replacement', this.replacement);
    this.generator = options?.generator ?? null;
    this.weights = tensor(weights, { dtype: float64 });
    if (this.weights.ndim !== 1) {
      throw new ValueError(
        `weights should be a 1d sequence but given weights have shape [${this.weights.shape.join(', ')}]`,
      );
    }
  }

  get length(): number {
    return this.numSamples;
  }

  *[Symbol.iterator](): Iterator<number> {
    const { replacement, generator } = this;
    const drawn = multinomial(this.weights, this.numSamples, { replacement, generator });
    for (const i of drawn.toTypedArray()) yield Number(i);
  }
}

/** Groups what another sampler gives into lists of `batchSize`; `dropLast` leaves out a last one that is smaller. */
export class BatchSampler extends Sampler<number[]> {
  constructor(
    readonly sampler: Iterable<number> & { readonly length?: number },
    readonly batchSize: number,
    readonly dropLast: boolean,
  ) {
    super();
    checkCount('batchSize', batchSize);
    checkFlag('dropLast', dropLast);
  }

  get length(): number {
    const { length } = this.sampler;
    if (length === undefined) throw new TypeError('the length of the loader needs a sampler with a length');
    return this.dropLast ? Math.floor(length / this.batchSize) : Math.ceil(length / this.batchSize);
  }

  *[Symbol.iterator](): Iterator<number[]> {
    let batch: number[] = [];
    for (const index of this.sampler) {
      batch.push(index);
      if (batch.length < this.batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}
