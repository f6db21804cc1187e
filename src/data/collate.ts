import { bool, type DType, getDefaultDtype, int64, promote, type TypedArray } from '../core/dtype.js';
import { describe, RuntimeError, ValueError } from '../core/errors.js';
import { sameShape } from '../core/shape.js';
import { empty, Tensor, view } from '../core/tensor.js';
import { copyInto } from '../ops/iterate.js';
import { anyRequiresGrad, FunctionNode, record } from '../ops/op.js';
import { tensor } from '../tensor/create.js';

/** Joining samples into a batch. */

/** What `defaultCollate` makes of samples of type T. */
export type Collated<T> = T extends Tensor | number | bigint | boolean | TypedArray
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly unknown[]
      ? { -readonly [K in keyof T]: Collated<T[K]> }
      : T extends ReadonlyMap<infer K, infer V>
        ? Map<K, Collated<V>>
        : T extends object
          ? { -readonly [K in keyof T]: Collated<T[K]> }
          : unknown;

type Places = readonly (number | string)[];

/** `torch.stack(tensors)`: along a new first dimension. */
function stack(tensors: readonly Tensor[]): Tensor {
  const { shape } = tensors[0];
  tensors.forEach((tensor, i) => {
    if (sameShape(tensor.shape, shape)) return;
    throw new RuntimeError(
      `stack expects each tensor to be equal size, but got [${shape.join(', ')}] at entry 0 and [${tensor.shape.join(', ')}] at entry ${i}`,
    );
  });
  const dtype = tensors.reduce((d: DType, t) => promote(d, t.dtype), tensors[0].dtype);
  const out = empty([tensors.length, ...shape], dtype);
  const step = tensors[0].count;
  const strides = out.strides.slice(1);
  tensors.forEach((tensor, i) => {
    copyInto(view(out, shape, strides, i * step), tensor);
  });
  if (!anyRequiresGrad(tensors)) return out;
  const rows = (grad: Tensor) => tensors.map((t, i) => grad.select(0, i).to(t.dtype));
  return record(out, new FunctionNode('StackBackward0', tensors, rows));
}

function filled(values: readonly (number | bigint | boolean)[], dtype: DType): Tensor {
  const out = empty([values.length], dtype);
  const { array, start } = out.elements();
  for (let i = 0; i < values.length; i++) {
    if (array instanceof BigInt64Array) array[start + i] = BigInt(values[i]);
    else array[start + i] = Number(values[i]);
  }
  return out;
}

function checkAll<T>(samples: readonly unknown[], test: (v: unknown) => v is T): asserts samples is readonly T[] {
  const odd = samples.findIndex((v) => !test(v));
  if (odd >= 0) {
    throw new TypeError(
      `defaultCollate: entry 0 is ${describe(samples[0])} but entry ${odd} is ${describe(samples[odd])}; samples must be alike`,
    );
  }
}

/** Class labels: whole numbers become int64, whatever else stands there is joined as usual. */
function collateLabels(samples: readonly unknown[]): unknown {
  if (typeof samples[0] !== 'number') return collate(samples);
  for (const value of samples) {
    if (Number.isSafeInteger(value)) continue;
    throw new ValueError(
      `class labels must be whole numbers, got ${describe(value)}; return torch.tensor(value) for a target that is no class`,
    );
  }
  return filled(samples as number[], int64);
}

function collate(samples: readonly unknown[], labels: Places = []): unknown {
  const [first] = samples;
  if (first instanceof Tensor) {
    checkAll(samples, (v): v is Tensor => v instanceof Tensor);
    return stack(samples);
  }
  switch (typeof first) {
    case 'number':
      checkAll(samples, (v): v is number => typeof v === 'number');
      return filled(samples, getDefaultDtype());
    case 'bigint':
      checkAll(samples, (v): v is bigint => typeof v === 'bigint');
      return filled(samples, int64);
    case 'boolean':
      checkAll(samples, (v): v is boolean => typeof v === 'boolean');
      return filled(samples, bool);
    case 'string':
      return samples.slice();
    default:
  }
  if (ArrayBuffer.isView(first) && 'length' in first) {
    return stack(samples.map((v) => tensor(v as TypedArray)));
  }
  const joined = (values: unknown[], place: number | string) =>
    labels.includes(place) ? collateLabels(values) : collate(values);
  if (Array.isArray(first)) {
    const lists = samples as readonly unknown[][];
    if (!lists.every((list) => Array.isArray(list) && list.length === first.length)) {
      throw new RuntimeError('each element in list of batch should be of equal size');
    }
    return first.map((_, place) =>
      joined(
        lists.map((list) => list[place]),
        place,
      ),
    );
  }
  if (first instanceof Map) {
    checkAll(samples, (v): v is Map<unknown, unknown> => v instanceof Map);
    return new Map(
      [...first.keys()].map((key) => [
        key,
        joined(
          samples.map((map) => map.get(key)),
          key as string,
        ),
      ]),
    );
  }
  if (isPlain(first)) {
    checkAll(samples, isPlain);
    return Object.fromEntries(
      Object.keys(first).map((key) => [
        key,
        joined(
          samples.map((object) => read(object, key)),
          key,
        ),
      ]),
    );
  }
  const hint = first instanceof Promise ? '; read a data set that gives promises by for await' : '';
  throw new TypeError(
    `defaultCollate: batch must contain tensors, typed arrays, numbers, dicts or lists; found ${describe(first)}${hint}`,
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function read(object: Record<string, unknown>, key: string): unknown {
  if (!Object.hasOwn(object, key))
    throw new RuntimeError(`defaultCollate: a sample lacks the key '${key}' that the first one has`);
  return object[key];
}

/**
 * Joins samples into a batch: tensors are stacked, numbers become a tensor of the default dtype (bigints int64, booleans
 * bool), lists become the list of their joined columns, objects an object of joined values, strings stay a list.
 * `labels` names columns of class labels, whose numbers become int64; a loader takes it from its data set.
 */
export function defaultCollate<T>(samples: readonly T[], labels?: Places): Collated<T> {
  if (samples.length === 0) throw new RuntimeError('defaultCollate: expected at least one sample');
  return collate(samples, labels) as Collated<T>;
}

/** What a loader without batches does to a sample: typed arrays become tensors, all else stays. */
export function defaultConvert(sample: unknown): unknown {
  if (sample instanceof Tensor) return sample;
  if (ArrayBuffer.isView(sample) && 'length' in sample) return tensor(sample as TypedArray);
  if (Array.isArray(sample)) return sample.map(defaultConvert);
  if (isPlain(sample))
    return Object.fromEntries(Object.entries(sample).map(([key, value]) => [key, defaultConvert(value)]));
  return sample;
}
