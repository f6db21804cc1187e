import { int64 } from '../core/dtype.js';
import { checkOptions, describe, IndexError, ValueError } from '../core/errors.js';
import { defaultGenerator, Generator } from '../core/generator.js';
import { randperm } from '../core/random-fill.js';
import { empty, Tensor } from '../core/tensor.js';
import { indexSelect } from '../ops/index-select.js';
import { select } from '../ops/slices.js';
import type { Collated } from './collate.js';

/** What a loader needs of a data set. All but `length` and `getItem` is optional. */
export interface DatasetLike<T> {
  readonly length: number;
  /** Sample `index`; a promise of it where the loader is read by `for await`. */
  getItem(index: number): T;
  /** Several samples at once (`__getitems__` in PyTorch), as the list that `getItem` would give. */
  getItems?(indices: readonly number[]): T[];
  /** A whole batch at once, the same as `defaultCollate` would make of the samples; used where no `collateFn` is given. */
  readonly getBatch?: ((indices: readonly number[]) => Collated<Awaited<T>>) | undefined;
  /** Places in a sample (positions, or keys of an object) whose numbers are class labels, and collate to int64. */
  readonly labels?: readonly (number | string)[] | undefined;
}

/** What can be split, wrapped and loaded: a data set, a list of samples, or a tensor, whose rows are the samples. */
export type DataSource<T> = DatasetLike<T> | (Iterable<T> & { readonly length: number });

/** Base of data sets: subclasses give `length` and `getItem`. Samples can be iterated over in order. */
export abstract class Dataset<T = unknown> implements Iterable<T> {
  abstract readonly length: number;
  abstract getItem(index: number): T;

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.getItem(i);
  }
}

/** A list or the rows of a tensor as samples. */
class Samples<T> extends Dataset<T> {
  constructor(private readonly source: ArrayLike<T> | Tensor) {
    super();
  }

  get length(): number {
    return this.source.length;
  }

  getItem(index: number): T {
    const i = wrapIndex(index, this.length);
    return this.source instanceof Tensor ? (select(this.source, 0, i) as T) : this.source[i];
  }
}

/** The data set behind a source. */
export function datasetOf<T>(source: DataSource<T>): DatasetLike<T> {
  const given = source as unknown;
  if (given instanceof Tensor || Array.isArray(given) || (ArrayBuffer.isView(given) && 'length' in given)) {
    return new Samples<T>(given as unknown as ArrayLike<T>);
  }
  const like = source as DatasetLike<T> | null | undefined;
  if (typeof like?.getItem !== 'function' || typeof like.length !== 'number') {
    throw new TypeError(
      `expected a data set with length and getItem(index), a list or a tensor, got ${describe(source)}`,
    );
  }
  return like;
}

/**
 * Whether `object` has `method` and it is no older than its `getItem`: a subclass that overrides `getItem` alone must
 * not be read through the faster method it inherits.
 */
export function isCurrent(object: object, method: string, base = 'getItem'): boolean {
  for (let level: object | null = object; level !== null; level = Object.getPrototypeOf(level)) {
    if (Object.hasOwn(level, method)) return typeof (object as Record<string, unknown>)[method] === 'function';
    if (Object.hasOwn(level, base)) return false;
  }
  return false;
}

/** Samples by index, through `getItems` where the data set has it. */
export function itemsOf<T>(dataset: DatasetLike<T>, indices: readonly number[]): T[] {
  if (isCurrent(dataset, 'getItems')) return (dataset as Required<DatasetLike<T>>).getItems(indices);
  return indices.map((i) => dataset.getItem(i));
}

/** An index that may count from the end, checked. */
export function wrapIndex(index: number, length: number): number {
  if (!Number.isInteger(index) || index < -length || index >= length) {
    throw new IndexError(`index ${index} is out of range for a data set of ${length} samples`);
  }
  return index < 0 ? index + length : index;
}

/** Indices as an int64 tensor. */
export function indexTensor(indices: readonly number[], length: number): Tensor {
  const out = empty([indices.length], int64);
  const { array, start } = out.elements();
  // In halves: making bigints would cost more than the copy that they are for.
  const halves = new Int32Array(array.buffer, array.byteOffset + 8 * start, 2 * indices.length);
  for (let i = 0; i < indices.length; i++) {
    halves[2 * i] = wrapIndex(indices[i], length);
    halves[2 * i + 1] = 0;
  }
  return out;
}

/** Samples are rows: sample i is the list of `tensor.select(0, i)` for each tensor. */
export class TensorDataset<T extends readonly Tensor[] = Tensor[]> extends Dataset<T> {
  readonly tensors: T;

  constructor(...tensors: T) {
    super();
    tensors.forEach((tensor, i) => {
      if (!(tensor instanceof Tensor))
        throw new TypeError(`TensorDataset(): argument ${i + 1} must be Tensor, not ${describe(tensor)}`);
      if (tensor.ndim === 0)
        throw new ValueError(`TensorDataset(): argument ${i + 1} is a 0-d tensor, which has no rows`);
    });
    if (tensors.length === 0) throw new ValueError('TensorDataset(): expected at least one tensor');
    const sizes = tensors.map((tensor) => tensor.shape[0]);
    if (sizes.some((size) => size !== sizes[0])) {
      throw new ValueError(`Size mismatch between tensors: first dimensions are ${sizes.join(', ')}`);
    }
    this.tensors = tensors;
  }

  get length(): number {
    return this.tensors[0].shape[0];
  }

  getItem(index: number): T {
    const i = wrapIndex(index, this.length);
    return this.tensors.map((tensor) => select(tensor, 0, i)) as readonly Tensor[] as T;
  }

  getBatch(indices: readonly number[]): Collated<T> {
    const places = indexTensor(indices, this.length);
    return this.tensors.map((tensor) => indexSelect(tensor, 0, places)) as unknown as Collated<T>;
  }
}

/** The samples of a data set that `indices` names, in its order. */
export class Subset<T> extends Dataset<T> {
  private readonly source: DatasetLike<T>;

  constructor(
    readonly dataset: DataSource<T>,
    readonly indices: readonly number[],
  ) {
    super();
    this.source = datasetOf(dataset);
  }

  get length(): number {
    return this.indices.length;
  }

  get labels(): readonly (number | string)[] | undefined {
    return this.source.labels;
  }

  private place(index: number): number {
    return this.indices[wrapIndex(index, this.length)];
  }

  getItem(index: number): T {
    return this.source.getItem(this.place(index));
  }

  getItems(indices: readonly number[]): T[] {
    return itemsOf(
      this.source,
      indices.map((i) => this.place(i)),
    );
  }

  get getBatch(): DatasetLike<T>['getBatch'] {
    const { source } = this;
    if (!isCurrent(source, 'getBatch')) return undefined;
    return (indices) => (source as Required<DatasetLike<T>>).getBatch!(indices.map((i) => this.place(i)));
  }
}

/** Data sets one after the other. */
export class ConcatDataset<T> extends Dataset<T> {
  readonly datasets: readonly DataSource<T>[];
  readonly cumulativeSizes: readonly number[];
  private readonly parts: readonly DatasetLike<T>[];

  constructor(datasets: Iterable<DataSource<T>>) {
    super();
    this.datasets = [...datasets];
    if (this.datasets.length === 0) throw new ValueError('datasets should not be an empty iterable');
    this.parts = this.datasets.map(datasetOf);
    let total = 0;
    this.cumulativeSizes = this.parts.map((part) => {
      total += part.length;
      return total;
    });
  }

  get length(): number {
    return this.cumulativeSizes[this.cumulativeSizes.length - 1];
  }

  get labels(): readonly (number | string)[] | undefined {
    return this.parts[0].labels;
  }

  /** Which data set a sample is in, and its index there. */
  private place(index: number): [part: number, index: number] {
    const i = wrapIndex(index, this.length);
    const part = this.cumulativeSizes.findIndex((end) => i < end);
    return [part, part === 0 ? i : i - this.cumulativeSizes[part - 1]];
  }

  getItem(index: number): T {
    const [part, i] = this.place(index);
    return this.parts[part].getItem(i);
  }

  getItems(indices: readonly number[]): T[] {
    const places = indices.map((i) => this.place(i));
    const out = new Array<T>(indices.length);
    this.parts.forEach((part, p) => {
      const mine = places.flatMap(([q], k) => (q === p ? [k] : []));
      if (mine.length === 0) return;
      const items = itemsOf(
        part,
        mine.map((k) => places[k][1]),
      );
      mine.forEach((k, n) => {
        out[k] = items[n];
      });
    });
    return out;
  }
}

/** Sizes of the parts: as given, or of fractions that sum to 1, what is left over going one by one to the first parts. */
function splitSizes(total: number, lengths: readonly number[]): readonly number[] {
  const sum = lengths.reduce((a, b) => a + b, 0);
  const areFractions = sum <= 1 && Math.abs(sum - 1) <= 1e-9 * Math.max(Math.abs(sum), 1);
  if (!areFractions) return lengths;
  const sizes = lengths.map((fraction, i) => {
    if (fraction < 0 || fraction > 1) throw new ValueError(`Fraction at index ${i} is not between 0 and 1`);
    return Math.floor(total * fraction);
  });
  const left = total - sizes.reduce((a, b) => a + b, 0);
  for (let i = 0; i < left; i++) sizes[i % sizes.length]++;
  sizes.forEach((size, i) => {
    if (size === 0) console.warn(`Length of split at index ${i} is 0. This might result in an empty dataset.`);
  });
  return sizes;
}

/**
 * Splits a data set at random into parts without overlap, of the given lengths or of fractions that sum to 1.
 * The same seed gives PyTorch's split.
 */
export function randomSplit<T>(
  dataset: DataSource<T>,
  lengths: readonly number[],
  options?: { generator?: Generator | null } | Generator,
): Subset<T>[] {
  const given = options instanceof Generator ? { generator: options } : options;
  checkOptions('randomSplit', given, ['generator']);
  const total = datasetOf(dataset).length;
  const sizes = splitSizes(total, lengths);
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 0) {
      throw new ValueError(
        `randomSplit(): expected whole lengths, or fractions that sum to 1, got [${lengths.join(', ')}]`,
      );
    }
  }
  if (sizes.reduce((a, b) => a + b, 0) !== total) {
    throw new ValueError(
      `Sum of input lengths does not equal the length of the input dataset! Got [${lengths.join(', ')}] for ${total} samples`,
    );
  }
  const order = new Int32Array(total);
  randperm(given?.generator ?? defaultGenerator(), order);
  let end = 0;
  return sizes.map((size) => {
    end += size;
    return new Subset(dataset, Array.from(order.subarray(end - size, end)));
  });
}
