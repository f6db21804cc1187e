import { describe, test } from 'vitest';
import { kernel } from '../../src/backend/backend.js';
import { bool, type DType } from '../../src/core/dtype.js';
import { empty, type Tensor } from '../../src/core/tensor.js';
import { launch } from '../../src/ops/iterate.js';
import { type KernelSource, kernelSources } from '../../src/ops/pointwise.js';
import { evaluate } from '../../src/ops/scalar.js';
import '../support/entries.js';
import { draw, layouts, valuesOf } from '../support/draw.js';
import { Sweep } from '../support/sweep.js';
import { difference } from '../support/tolerances.js';

/** Kernels against the reference that evaluates the same expressions in plain TypeScript, on sizes around vector lengths. */

const SIZES = Array.from({ length: 67 }, (_, i) => i + 1);

function inputsOf(source: KernelSource, dtype: DType, n: number, interval: readonly [number, number]): Tensor[] {
  return Array.from({ length: source.inputs }, (_, k) => {
    const own = source.boolInputs?.includes(k) ? bool : dtype;
    return draw(`${source.name} ${dtype.name} ${n} ${k}`, [n], own.name, ...interval);
  });
}

function stored(value: number, dtype: DType): number | bigint {
  if (dtype === bool) return Number(value !== 0);
  if (dtype.name === 'float32') return Math.fround(value);
  if (dtype.category === 'float') return value;
  const whole = BigInt(Math.trunc(value));
  if (dtype.name === 'int64') return BigInt.asIntN(64, whole);
  return Number(dtype.name === 'int32' ? BigInt.asIntN(32, whole) : BigInt.asUintN(8, whole));
}

/** Whether the reference, which computes in doubles, has a value that the dtype can hold. */
function comparable(value: number, dtype: DType): boolean {
  return dtype.category === 'float' || (Number.isFinite(value) && Number.isInteger(value));
}

function run(
  source: KernelSource,
  dtype: DType,
  n: number,
  interval: readonly [number, number],
  place: (t: Tensor) => Tensor,
): string | undefined {
  const inputs = inputsOf(source, dtype, n, interval).map(place);
  const out = place(empty([n], source.toBool ? bool : dtype));
  const columns = inputs.map((t) => valuesOf(t).map(Number));
  const values = Array.from({ length: n }, (_, i) =>
    evaluate(
      source.expr,
      columns.map((c) => c[i]),
    ),
  );
  if (values.some((v) => !comparable(v, out.dtype))) return undefined;
  const status = launch(kernel(`${source.name}_${dtype.suffix}`), out, inputs);
  if (status !== 0) return `status ${status}`;
  return difference(out, { dtype: out.dtype.name, shape: [n], values: values.map((v) => stored(v, out.dtype)) });
}

const intervals = [
  [-2, 2],
  [0.3, 3],
] as const;

describe('kernels against the reference', () => {
  for (const source of kernelSources.flatMap((list) => list())) {
    test(source.name, (context) => {
      const sweep = new Sweep(context);
      for (const dtype of source.dtypes) {
        for (const interval of intervals) {
          for (const n of SIZES) {
            sweep.case(`${source.name}_${dtype.suffix} [${n}] from [${interval}]`, () =>
              run(source, dtype, n, interval, (t) => t),
            );
          }
          sweep.case(`${source.name}_${dtype.suffix} [67] with gaps`, () =>
            run(source, dtype, 67, interval, layouts.sliced),
          );
        }
      }
      sweep.done();
    });
  }
});
