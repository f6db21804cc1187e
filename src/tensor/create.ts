import { Device } from '../core/device.js';
import {
  bool,
  type DType,
  type DTypeLike,
  float32,
  float64,
  getDefaultDtype,
  int32,
  int64,
  type TypedArray,
  toDType,
  uint8,
} from '../core/dtype.js';
import { checkOptions, describe, RuntimeError, ValueError } from '../core/errors.js';
import { defaultGenerator, type Generator } from '../core/generator.js';
import * as fill from '../core/random-fill.js';
import { checkSizes, type Shape } from '../core/shape.js';
import { Tensor, empty as uninitialised } from '../core/tensor.js';
import { copyInto, fillWith } from '../ops/iterate.js';

/** Functions that make tensors: from data, of constants, ranges, and random numbers. */

export interface TensorOptions {
  dtype?: DTypeLike;
  device?: string | Device;
  requiresGrad?: boolean;
}
export interface RandomTensorOptions extends TensorOptions {
  generator?: Generator | null;
}

const KEYS = ['dtype', 'device', 'requiresGrad'];
const RANDOM_KEYS = [...KEYS, 'generator'];

/** Nested lists of numbers, booleans or bigints. */
export type NestedArray = number | boolean | bigint | readonly NestedArray[];
export type TensorData = NestedArray | TypedArray | Int8Array | Int16Array | Uint8ClampedArray | Tensor;

function finish(tensor: Tensor, options: TensorOptions | undefined): Tensor {
  if (options?.device !== undefined) Device.from(options.device);
  return options?.requiresGrad ? tensor.requiresGrad_() : tensor;
}

function dtypeOf(options: TensorOptions | undefined, fallback: DType): DType {
  return options?.dtype === undefined ? fallback : toDType(options.dtype);
}

function isOptions(value: unknown): value is TensorOptions {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Tensor);
}

type SizeArgs = [...sizes: (number | Shape | TensorOptions | undefined)[]];

/** Splits `zeros(2, 3, { dtype })` and `zeros([2, 3], { dtype })` into shape and options. */
function sizesAndOptions(
  op: string,
  args: SizeArgs,
  keys: readonly string[],
): { shape: number[]; options: TensorOptions | undefined } {
  const list = args.slice();
  while (list.length > 0 && list[list.length - 1] === undefined) list.pop();
  let options: TensorOptions | undefined;
  if (isOptions(list[list.length - 1])) options = list.pop() as TensorOptions;
  checkOptions(op, options, keys);
  const sizes = list.length === 1 && Array.isArray(list[0]) ? (list[0] as number[]) : (list as number[]);
  for (const size of sizes) {
    if (!Number.isInteger(size))
      throw new TypeError(`${op}(): expected sizes as whole numbers or one list of them, got ${describe(size)}`);
  }
  checkSizes(op, sizes);
  return { shape: sizes.slice(), options };
}

function typedDType(array: object): DType | undefined {
  if (array instanceof Float32Array) return float32;
  if (array instanceof Float64Array) return float64;
  if (array instanceof BigInt64Array) return int64;
  if (array instanceof Int32Array) return int32;
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return uint8;
  return undefined;
}

function shapeOf(data: NestedArray): number[] {
  const shape: number[] = [];
  let level: NestedArray = data;
  while (Array.isArray(level)) {
    shape.push(level.length);
    if (level.length === 0) break;
    level = level[0];
  }
  return shape;
}

function flattenInto(data: NestedArray, shape: Shape, depth: number, out: (number | boolean | bigint)[]): void {
  if (depth === shape.length) {
    if (Array.isArray(data))
      throw new ValueError(`too many dimensions at depth ${depth}: expected a number, got a list`);
    if (typeof data !== 'number' && typeof data !== 'boolean' && typeof data !== 'bigint') {
      throw new TypeError(
        `tensor(): expected numbers, booleans, bigints or nested lists of them, got ${describe(data)}`,
      );
    }
    out.push(data);
    return;
  }
  if (!Array.isArray(data))
    throw new ValueError(`expected sequence of length ${shape[depth]} at dim ${depth} (got a ${typeof data})`);
  if (data.length !== shape[depth]) {
    throw new ValueError(`expected sequence of length ${shape[depth]} at dim ${depth} (got ${data.length})`);
  }
  for (const item of data) flattenInto(item, shape, depth + 1, out);
}

function writeValue(array: TypedArray, i: number, value: number | boolean | bigint, dtype: DType): void {
  if (array instanceof BigInt64Array) array[i] = typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value)));
  else if (dtype === bool) array[i] = Number(Boolean(value));
  else array[i] = Number(value);
}

/** A tensor with a copy of `data`: a number, nested lists, a typed array or a tensor. */
export function tensor(data: TensorData, options?: TensorOptions): Tensor {
  checkOptions('tensor', options, KEYS);
  if (data instanceof Tensor) {
    const out = uninitialised(data.shape, dtypeOf(options, data.dtype));
    copyInto(out, data);
    return finish(out, options);
  }
  if (ArrayBuffer.isView(data)) return finish(fromTyped(data as TypedArray, options), options);
  const shape = shapeOf(data as NestedArray);
  const values: (number | boolean | bigint)[] = [];
  flattenInto(data as NestedArray, shape, 0, values);
  const natural =
    values.length === 0 || values.some((v) => typeof v === 'number')
      ? getDefaultDtype()
      : values.some((v) => typeof v === 'bigint')
        ? int64
        : bool;
  const dtype = dtypeOf(options, natural);
  const out = uninitialised(shape, dtype);
  const { array, start } = out.elements();
  for (let i = 0; i < values.length; i++) writeValue(array, start + i, values[i], dtype);
  return finish(out, options);
}

function fromTyped(data: TypedArray, options: TensorOptions | undefined): Tensor {
  const own = typedDType(data);
  const dtype = dtypeOf(options, own ?? int32);
  const out = uninitialised([data.length], dtype);
  const { array, start } = out.elements();
  if (own === dtype) (array as Float32Array).set(data as Float32Array, start);
  else for (let i = 0; i < data.length; i++) writeValue(array, start + i, data[i], dtype);
  return out;
}

/** As {@link tensor}, but a tensor of the asked dtype is returned as it is. */
export function asTensor(data: TensorData, options?: TensorOptions): Tensor {
  if (data instanceof Tensor) {
    checkOptions('asTensor', options, KEYS);
    return options?.dtype === undefined ? data : data.to(toDType(options.dtype));
  }
  return tensor(data, options);
}

type Filled = {
  (...sizes: number[]): Tensor;
  (shape: Shape, options?: TensorOptions): Tensor;
  (...args: SizeArgs): Tensor;
};

function constant(op: string, value: number | undefined): Filled {
  return (...args: SizeArgs): Tensor => {
    const { shape, options } = sizesAndOptions(op, args, KEYS);
    const out = uninitialised(shape, dtypeOf(options, getDefaultDtype()));
    if (value !== undefined) fillWith(out, value);
    return finish(out, options);
  };
}

/** A tensor of zeros: `zeros(2, 3)`, `zeros([2, 3], { dtype })`. */
export const zeros: Filled = constant('zeros', 0);
/** A tensor of ones. */
export const ones: Filled = constant('ones', 1);
/** A tensor whose contents are whatever the memory held. */
export const empty: Filled = constant('empty', undefined);

/** A tensor with one number everywhere; float (or bool for a boolean) unless `dtype` says otherwise. */
export function full(shape: Shape, value: number | boolean, options?: TensorOptions): Tensor {
  checkOptions('full', options, KEYS);
  checkSizes('full', shape);
  const out = uninitialised(shape.slice(), dtypeOf(options, typeof value === 'boolean' ? bool : getDefaultDtype()));
  fillWith(out, Number(value));
  return finish(out, options);
}

function likeWith(op: string, value: number | undefined): (input: Tensor, options?: TensorOptions) => Tensor {
  return (input, options) => {
    if (!(input instanceof Tensor))
      throw new TypeError(`${op}(): argument 'input' must be Tensor, not ${describe(input)}`);
    checkOptions(op, options, KEYS);
    const out = uninitialised(input.shape, dtypeOf(options, input.dtype));
    if (value !== undefined) fillWith(out, value);
    return finish(out, options);
  };
}

/** Zeros with the shape and dtype of `input`. */
export const zerosLike = likeWith('zerosLike', 0);
/** Ones with the shape and dtype of `input`. */
export const onesLike = likeWith('onesLike', 1);
/** Uninitialised, with the shape and dtype of `input`. */
export const emptyLike = likeWith('emptyLike', undefined);

/** `value` everywhere, with the shape and dtype of `input`. */
export function fullLike(input: Tensor, value: number | boolean, options?: TensorOptions): Tensor {
  return full(input.shape, value, { dtype: input.dtype, ...options });
}

/** Numbers from start to before end by step; int64 when all are whole, unless `dtype` says otherwise. */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(...args: (number | TensorOptions | undefined)[]): Tensor {
  const list = args.filter((a) => a !== undefined);
  const options = isOptions(list[list.length - 1]) ? (list.pop() as TensorOptions) : undefined;
  checkOptions('arange', options, KEYS);
  const numbers = list as number[];
  for (const n of numbers)
    if (typeof n !== 'number') throw new TypeError(`arange(): expected numbers, got ${describe(n)}`);
  const [start, end, step] = numbers.length === 1 ? [0, numbers[0], 1] : [numbers[0], numbers[1], numbers[2] ?? 1];
  if (step === 0) throw new RuntimeError('step must be nonzero');
  if (!Number.isFinite(start) || !Number.isFinite(end)) throw new RuntimeError(`unsupported range: ${start} -> ${end}`);
  if ((end - start) / step < 0) throw new RuntimeError('upper bound and lower bound inconsistent with step sign');
  const dtype = dtypeOf(options, numbers.every(Number.isInteger) ? int64 : getDefaultDtype());
  const out = uninitialised([Math.ceil((end - start) / step)], dtype);
  const { array, start: at } = out.elements();
  for (let i = 0; i < out.count; i++) writeValue(array, at + i, start + i * step, dtype);
  return finish(out, options);
}

/** `steps` numbers evenly spaced from start to end, both included. */
export function linspace(start: number, end: number, steps: number, options?: TensorOptions): Tensor {
  checkOptions('linspace', options, KEYS);
  if (!Number.isInteger(steps) || steps < 0) throw new RuntimeError('number of steps must be non-negative');
  const dtype = dtypeOf(options, getDefaultDtype());
  const out = uninitialised([steps], dtype);
  const { array, start: at } = out.elements();
  const round = dtype === float32 ? Math.fround : (x: number) => x;
  const step = round((end - start) / Math.max(steps - 1, 1));
  // From both ends toward the middle, as PyTorch does, so that the last value is exact.
  for (let i = 0; i < steps; i++) {
    writeValue(array, at + i, i < steps / 2 ? start + step * i : end - step * (steps - i - 1), dtype);
  }
  return finish(out, options);
}

/** The identity matrix, or ones on the diagonal of an n x m one. */
export function eye(n: number, m?: number | TensorOptions, options?: TensorOptions): Tensor {
  const columns = typeof m === 'number' ? m : n;
  const given = isOptions(m) ? m : options;
  const out = zeros([n, columns], given);
  const { array, start } = out.elements();
  for (let i = 0; i < Math.min(n, columns); i++) writeValue(array, start + i * (columns + 1), 1, out.dtype);
  return out;
}

type RandomSizes = {
  (...sizes: number[]): Tensor;
  (shape: Shape, options?: RandomTensorOptions): Tensor;
  (...args: SizeArgs): Tensor;
};

function random(op: string, draw: (generator: Generator, out: fill.FloatOut) => void): RandomSizes {
  return (...args: SizeArgs): Tensor => {
    const { shape, options } = sizesAndOptions(op, args, RANDOM_KEYS);
    return drawn(op, shape, dtypeOf(options, getDefaultDtype()), options, draw);
  };
}

function drawn(
  op: string,
  shape: Shape,
  dtype: DType,
  options: RandomTensorOptions | undefined,
  draw: (g: Generator, out: fill.FloatOut) => void,
): Tensor {
  if (dtype.category !== 'float') throw new RuntimeError(`"${op}" not implemented for '${dtype.title}'`);
  const out = uninitialised(shape, dtype);
  const { array, start } = out.elements();
  draw(options?.generator ?? defaultGenerator(), array.subarray(start, start + out.count) as fill.FloatOut);
  return finish(out, options);
}

/** Numbers from the uniform distribution over [0, 1). */
export const rand: RandomSizes = random('rand', (g, out) => fill.uniform_(g, out));
/** Numbers from the standard normal distribution. */
export const randn: RandomSizes = random('randn', (g, out) => fill.normal_(g, out));

/** As {@link rand}, with the shape and dtype of `input`. */
export function randLike(input: Tensor, options?: RandomTensorOptions): Tensor {
  checkOptions('randLike', options, RANDOM_KEYS);
  return drawn('randLike', input.shape, dtypeOf(options, input.dtype), options, (g, out) => fill.uniform_(g, out));
}

/** As {@link randn}, with the shape and dtype of `input`. */
export function randnLike(input: Tensor, options?: RandomTensorOptions): Tensor {
  checkOptions('randnLike', options, RANDOM_KEYS);
  return drawn('randnLike', input.shape, dtypeOf(options, input.dtype), options, (g, out) => fill.normal_(g, out));
}

/** Whole numbers from [low, high), int64: `randint(10, [3])`, `randint(5, 10, [3])`. */
export function randint(high: number, shape: Shape, options?: RandomTensorOptions): Tensor;
export function randint(low: number, high: number, shape: Shape, options?: RandomTensorOptions): Tensor;
export function randint(
  a: number,
  b: number | Shape,
  c?: Shape | RandomTensorOptions,
  d?: RandomTensorOptions,
): Tensor {
  const [low, high, shape, options] = Array.isArray(b)
    ? [0, a, b as Shape, c as RandomTensorOptions | undefined]
    : [a, b as number, c as Shape, d];
  checkOptions('randint', options, RANDOM_KEYS);
  if (!Array.isArray(shape))
    throw new TypeError(`randint(): argument 'size' must be a list of sizes, got ${describe(shape)}`);
  if (!(low < high))
    throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`);
  const dtype = dtypeOf(options, int64);
  const out = uninitialised(shape.slice(), dtype);
  const { array, start } = out.elements();
  fill.randomFromTo_(
    options?.generator ?? defaultGenerator(),
    array.subarray(start, start + out.count) as fill.AnyOut,
    low,
    high,
    dtype === bool,
  );
  return finish(out, options);
}

/** The whole numbers from 0 to n - 1 in random order, int64. */
export function randperm(n: number, options?: RandomTensorOptions): Tensor {
  checkOptions('randperm', options, RANDOM_KEYS);
  if (!Number.isInteger(n) || n < 0) throw new RuntimeError(`n must be non-negative, got ${n}`);
  const out = uninitialised([n], dtypeOf(options, int64));
  const { array, start } = out.elements();
  fill.randperm(options?.generator ?? defaultGenerator(), array.subarray(start, start + n) as fill.AnyOut);
  return finish(out, options);
}

/** Seeds the generator that all random functions use by default. */
export function manualSeed(seed: number | bigint): Generator {
  return defaultGenerator().manualSeed(seed);
}
