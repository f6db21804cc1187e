import { bool, type DTypeName, type TypedArray, toDType } from '../../src/core/dtype.js';
import { Generator } from '../../src/core/generator.js';
import { uniform_ } from '../../src/core/random-fill.js';
import { numelOf, type Shape } from '../../src/core/shape.js';
import { empty, type Tensor } from '../../src/core/tensor.js';
import { copyInto } from '../../src/ops/iterate.js';
import { crc32 } from './platform.js';

/** Inputs drawn from seeds; test/goldens/ops.py draws the same ones. */

type Literal = number | boolean | string | readonly Literal[];
export type Argument =
  | { shape: readonly number[]; low?: number; high?: number; dtype?: string }
  | { data: unknown; dtype?: string }
  | { list: readonly Argument[] }
  | { options: Readonly<Record<string, Argument>> }
  | { value: unknown };

export const seedOf = (key: string): number => crc32(key);

function fill(out: Tensor, value: (i: number) => number | bigint): Tensor {
  const { array, start } = out.elements();
  const target = array as Float64Array;
  const big = array instanceof BigInt64Array;
  for (let i = 0; i < out.count; i++) {
    const v = value(i);
    target[start + i] = (big ? BigInt(v) : Number(v)) as number;
  }
  return out;
}

/** A tensor of random numbers from [low, high), whole ones for integer dtypes. */
export function draw(key: string, shape: Shape, dtype: DTypeName, low = -2, high = 2): Tensor {
  const d = toDType(dtype);
  const u = new Float64Array(numelOf(shape));
  uniform_(new Generator(seedOf(key)), u);
  const out = empty(shape, d);
  if (d === bool) return fill(out, (i) => Number(u[i] >= 0.5));
  if (d.category === 'float') return fill(out, (i) => u[i] * (high - low) + low);
  const bottom = dtype === 'uint8' ? Math.max(Math.ceil(low), 0) : Math.ceil(low);
  const top = Math.max(Math.floor(high), bottom);
  return fill(out, (i) => Math.floor(u[i] * (top + 1 - bottom) + bottom));
}

const words: Record<string, number> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity, '-0': -0 };

function shapeOf(data: Literal): number[] {
  if (!Array.isArray(data)) return [];
  return [data.length, ...(data.length > 0 ? shapeOf(data[0]) : [])];
}

/** A tensor of given numbers; strings stand for what JSON has no number for. */
export function literal(data: unknown, dtype: DTypeName): Tensor {
  const d = toDType(dtype);
  const values = [data as Literal].flat(Infinity as 10) as (number | boolean | string)[];
  const out = empty(shapeOf(data as Literal), d);
  return fill(out, (i) => {
    const v = values[i];
    if (d.category === 'float') return typeof v === 'string' ? (words[v] ?? Number(v)) : Number(v);
    if (d === bool) return Number(Boolean(v));
    return typeof v === 'string' ? BigInt(v) : Math.trunc(Number(v));
  });
}

export interface Arguments {
  /** What the op is called with. */
  values: unknown[];
  /** The tensors among them, in order, those inside lists too; those among options are constants and left out. */
  tensors: Tensor[];
}

/** Makes the arguments of a sample for one dtype; `place` may put a tensor elsewhere in memory. */
export function argumentsOf(
  id: string,
  args: readonly Argument[],
  dtype: DTypeName,
  place = (t: Tensor): Tensor => t,
): Arguments {
  const tensors: Tensor[] = [];
  const read = (argument: Argument, key: string, constant = false): unknown => {
    if ('value' in argument) return argument.value ?? undefined;
    if ('list' in argument) return argument.list.map((a, k) => read(a, `${key}.${k}`));
    if ('options' in argument) {
      return Object.fromEntries(
        Object.entries(argument.options).map(([name, a]) => [name, read(a, `${key}.${name}`, true)]),
      );
    }
    const own = (argument.dtype ?? dtype) as DTypeName;
    const tensor =
      'shape' in argument
        ? place(draw(key, argument.shape, own, argument.low, argument.high))
        : literal(argument.data, own);
    if (!constant) tensors.push(tensor);
    return tensor;
  };
  return { values: args.map((a, i) => read(a, `${id}#${i}`)), tensors };
}

/** The same values with reversed order of dimensions in memory. */
export function transposed(x: Tensor): Tensor {
  const order = x.shape.map((_, d) => x.ndim - 1 - d);
  const out = empty(
    order.map((d) => x.shape[d]),
    x.dtype,
  ).permute(order);
  copyInto(out, x);
  return out;
}

/** The same values with gaps between them, after an offset. */
export function sliced(x: Tensor): Tensor {
  const last = x.ndim - 1;
  const out =
    x.ndim === 0
      ? empty([2], x.dtype).select(0, 1)
      : empty(x.shape.with(last, 2 * x.shape[last] + 1), x.dtype).slice(last, 1, null, 2);
  copyInto(out, x);
  return out;
}

/** The first slice of dimension 0 in place of all of them, stretched with stride 0. */
export function stretched(x: Tensor): Tensor {
  if (x.ndim === 0 || x.shape[0] === 0) return x;
  return x.narrow(0, 0, 1).expand(x.shape);
}

export const layouts = { transposed, sliced };

/** Values in row-major order, read without the kernels under test. */
export function valuesOf(x: Tensor): (number | bigint)[] {
  const { array, start } = x.elements();
  const out: (number | bigint)[] = [];
  const walk = (d: number, at: number): void => {
    if (d === x.ndim) out.push((array as TypedArray)[at]);
    else for (let i = 0; i < x.shape[d]; i++) walk(d + 1, at + i * x.strides[d]);
  };
  if (x.count > 0) walk(0, start);
  return out;
}
