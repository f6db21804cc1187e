import { checkOptions, describe, ValueError } from '../core/errors.js';
import { defaultGenerator, type Generator } from '../core/generator.js';
import { memoryTurn } from '../core/memory.js';
import { seedFromRandom64 } from '../core/random-fill.js';
import { type Collated, defaultCollate, defaultConvert } from './collate.js';
import { type DataSource, type DatasetLike, datasetOf, isCurrent, itemsOf } from './dataset.js';
import { BatchSampler, RandomSampler, SequentialSampler } from './sampler.js';

type Order<T> = Iterable<T> & { readonly length?: number };

export interface DataLoaderOptions<T, B> {
  /** Samples per batch. Default: 1. `null` gives the samples one by one, not joined. */
  batchSize?: number | null;
  /** A new random order in each epoch. Default: false. */
  shuffle?: boolean | null;
  /** The order to read in, instead of `shuffle`. */
  sampler?: Order<number> | null;
  /** Lists of indices, instead of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: Order<readonly number[]> | null;
  /** Taken for compatibility: reading happens in the thread of the loop, whatever the number. Default: 0. */
  numWorkers?: number;
  /** Joins samples into a batch. Default: `defaultCollate`. */
  collateFn?: ((samples: Awaited<T>[]) => B) | null;
  /** Leaves out a last batch that is smaller. Default: false. */
  dropLast?: boolean;
  /** Source of the random order. Default: the one that `torch.manualSeed` seeds. */
  generator?: Generator | null;
}

const KEYS = ['batchSize', 'shuffle', 'sampler', 'batchSampler', 'numWorkers', 'collateFn', 'dropLast', 'generator'];

/**
 * Cuts a data set into batches, in order or shuffled; each `for ... of` over it is one epoch. A data set whose samples
 * are promises is read by `for await`. `new DataLoader(dataset, 64, { shuffle: true })` works too.
 * Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
 */
export class DataLoader<T, B = Collated<Awaited<T>>> implements Iterable<B>, AsyncIterable<Awaited<B>> {
  readonly batchSize: number | null;
  readonly dropLast: boolean;
  readonly numWorkers: number;
  readonly generator: Generator | null;
  readonly sampler: Order<number>;
  readonly batchSampler: Order<readonly number[]> | null;
  readonly collateFn: ((samples: Awaited<T>[]) => B) | null;
  private readonly source: DatasetLike<T>;

  constructor(dataset: DataSource<T>, batchSize: number | null, options?: DataLoaderOptions<T, B>);
  constructor(dataset: DataSource<T>, options?: DataLoaderOptions<T, B>);
  constructor(
    readonly dataset: DataSource<T>,
    sizeOrOptions?: number | null | DataLoaderOptions<T, B>,
    rest?: DataLoaderOptions<T, B>,
  ) {
    const bySize = typeof sizeOrOptions === 'number' || sizeOrOptions === null;
    const options: DataLoaderOptions<T, B> = (bySize ? rest : sizeOrOptions) ?? {};
    checkOptions('DataLoader', options, KEYS);
    const given = bySize ? sizeOrOptions : options.batchSize;
    const batchSize = given === undefined ? 1 : given;
    const { shuffle = false, sampler, batchSampler, numWorkers = 0, dropLast = false, generator = null } = options;
    this.source = datasetOf(dataset);
    if (!Number.isInteger(numWorkers) || numWorkers < 0) {
      throw new ValueError(
        `numWorkers option should be non-negative; use numWorkers: 0 to read in the loop, got ${describe(numWorkers)}`,
      );
    }
    if (sampler && shuffle) throw new ValueError('sampler option is mutually exclusive with shuffle');
    if (batchSampler && (batchSize !== 1 || shuffle || sampler || dropLast)) {
      throw new ValueError('batchSampler option is mutually exclusive with batchSize, shuffle, sampler, and dropLast');
    }
    if (batchSize === null && dropLast) {
      throw new ValueError('batchSize: null disables auto-batching and is mutually exclusive with dropLast');
    }
    this.numWorkers = numWorkers;
    this.dropLast = dropLast;
    this.generator = generator;
    this.collateFn = options.collateFn ?? null;
    this.sampler =
      sampler ?? (shuffle ? new RandomSampler(this.source, { generator }) : new SequentialSampler(this.source));
    this.batchSize = batchSampler ? null : batchSize;
    this.batchSampler =
      batchSampler ?? (batchSize === null ? null : new BatchSampler(this.sampler, batchSize, dropLast));
  }

  /** Number of batches. */
  get length(): number {
    const { length } = this.batchSampler ?? this.sampler;
    if (length === undefined) throw new TypeError('the length of the loader needs a sampler with a length');
    return length;
  }

  [Symbol.iterator](): Iterator<B> {
    return this.batches(this.begin());
  }

  [Symbol.asyncIterator](): AsyncIterator<Awaited<B>> {
    return this.awaitedBatches(this.begin());
  }

  /** Starts an epoch. PyTorch draws a base seed for workers here, for every loader, and so moves its generator on. */
  private begin(): Iterable<number | readonly number[]> {
    const order = (this.batchSampler ?? this.sampler)[Symbol.iterator]();
    seedFromRandom64(this.generator ?? defaultGenerator());
    return { [Symbol.iterator]: () => order as Iterator<number | readonly number[]> };
  }

  private *batches(order: Iterable<number | readonly number[]>): Batches<B> {
    const whole = this.wholeBatches();
    for (const at of order) {
      if (typeof at === 'number') yield this.single(this.source.getItem(at) as Awaited<T>);
      else yield whole === undefined ? this.join(itemsOf(this.source, at) as Awaited<T>[]) : (whole(at) as B);
    }
  }

  private async *awaitedBatches(
    order: Iterable<number | readonly number[]>,
  ): AsyncGenerator<Awaited<B>, void, undefined> {
    const whole = this.wholeBatches();
    for (const at of order) {
      await memoryTurn();
      if (typeof at === 'number') yield await this.single(await this.source.getItem(at));
      else if (whole !== undefined) yield await (whole(at) as B);
      else yield await this.join(await Promise.all(await itemsOf(this.source, at)));
    }
  }

  /** The data set's own way to make whole batches, where no other way was asked for. */
  private wholeBatches(): ((indices: readonly number[]) => unknown) | undefined {
    const { source } = this;
    const standard = this.collateFn === null || (this.collateFn as unknown) === defaultCollate;
    return standard && isCurrent(source, 'getBatch') ? (indices) => source.getBatch?.(indices) : undefined;
  }

  private join(samples: Awaited<T>[]): B {
    return this.collateFn === null ? (defaultCollate(samples, this.source.labels) as B) : this.collateFn(samples);
  }

  private single(sample: Awaited<T>): B {
    const collate = this.collateFn as unknown as ((sample: Awaited<T>) => B) | null;
    return collate === null ? (defaultConvert(sample) as B) : collate(sample);
  }
}

type Batches<B> = globalThis.Generator<B, void, undefined>;
