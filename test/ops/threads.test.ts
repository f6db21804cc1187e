import { describe, test } from 'vitest';
import { grad } from '../../src/autograd/engine.js';
import { toDType } from '../../src/core/dtype.js';
import type { Tensor } from '../../src/core/tensor.js';
import { castTo } from '../../src/ops/iterate.js';
import { getNumThreads, setNumThreads } from '../../src/tensor/environment.js';
import { type Argument, type Arguments, argumentsOf, draw, valuesOf } from '../support/draw.js';
import { call, type Entry, entries, outputsOf } from '../support/entries.js';
import { sameBytes } from '../support/platform.js';
import { Sweep } from '../support/sweep.js';
import { difference, expectedOf } from '../support/tolerances.js';

/** Inputs large enough for several threads and for all loops of the kernels. */

/** Elements from which even cheap kernels use threads, and enough for the others. */
const wanted = (entry: Entry): number => (entry.record.kind === 'pointwise' ? 280_000 : 70_000);

/** The sample with every dimension but those of size 1 enlarged by one factor, or undefined where that makes no sense. */
function enlarged(entry: Entry, sample: number): Argument[] | undefined {
  const { args } = entry.record.samples[sample];
  const first = args.find((a) => 'shape' in a);
  if (first === undefined || !('shape' in first)) return undefined;
  const free = first.shape.filter((n) => n > 1);
  const numel = free.reduce((n, m) => n * m, 1);
  if (free.length === 0 || first.shape.includes(0) || args.some((a) => 'data' in a || 'options' in a)) return undefined;
  const factor = Math.max(1, Math.round((wanted(entry) / numel) ** (1 / free.length)));
  return args.map((a) => ('shape' in a ? { ...a, shape: a.shape.map((n) => (n > 1 ? n * factor + 1 : n)) } : a));
}

function run(entry: Entry, { values, tensors }: Arguments, threads: number): Tensor[] {
  const before = getNumThreads();
  setNumThreads(threads);
  try {
    const floats = entry.record.differentiable ? tensors.filter((t) => t.isFloatingPoint()) : [];
    for (const t of floats) t.requiresGrad_();
    const outputs = outputsOf(call(entry, values));
    const tracked = outputs.filter((out) => out.requiresGrad);
    if (tracked.length === 0) return outputs;
    const seeds = tracked.map((out, k) => draw(`${entry.name}/threads#grad${k}`, out.shape, out.dtype.name, -1, 1));
    const grads = grad(tracked, floats, { gradOutputs: seeds, allowUnused: true });
    return [...outputs, ...grads.filter((g) => g !== null)];
  } finally {
    setNumThreads(before);
  }
}

function identical(a: Tensor, b: Tensor): boolean {
  const [x, y] = [a, b].map((t) => new Uint8Array(t.toTypedArray().buffer));
  return a.dtype === b.dtype && sameBytes(x, y);
}

/** The first sample that can be enlarged. */
function sampleOf(entry: Entry): Argument[] | undefined {
  for (let i = 0; i < entry.record.samples.length; i++) {
    const args = enlarged(entry, i);
    if (args === undefined) continue;
    try {
      call(entry, argumentsOf(entry.name, args, 'float32').values);
      return args;
    } catch {
      // Sizes among the arguments did not grow with the shapes.
    }
  }
  return undefined;
}

describe('many elements', () => {
  test('one thread and several give the same', (context) => {
    const sweep = new Sweep(context);
    for (const entry of entries.filter((e) => e.record.kind !== 'random' && e.record.kind !== 'view')) {
      const args = sampleOf(entry);
      if (args === undefined) continue;
      const dtypes = entry.record.kind === 'pointwise' ? (['float32'] as const) : (['float32', 'float64'] as const);
      for (const dtype of dtypes) {
        sweep.case(`${entry.name} ${dtype} [${JSON.stringify(args)}]`, () => {
          const made = argumentsOf(`${entry.name}/threads`, args, dtype);
          const one = run(entry, made, 1);
          const several = run(entry, made, 3);
          for (let k = 0; k < one.length; k++) {
            if (identical(several[k], one[k])) continue;
            const gap = difference(several[k], expectedOf(one[k]), entry.record);
            if (gap !== undefined) return `result ${k}: ${gap}`;
          }
          return undefined;
        });
      }
    }
    sweep.done();
  });

  test('whole numbers in float32 and float64 give what they give in int64', (context) => {
    const sweep = new Sweep(context);
    for (const entry of entries.filter((e) => e.record.kind === 'matmul' || e.record.kind === 'reduction')) {
      const args = sampleOf(entry);
      if (args === undefined) continue;
      sweep.case(`${entry.name} [${JSON.stringify(args)}]`, () => {
        const { values, tensors } = argumentsOf(`${entry.name}/whole`, args, 'int64');
        let whole: Tensor[];
        try {
          whole = outputsOf(call(entry, values));
        } catch {
          return undefined;
        }
        // Beyond that a float32 does not hold every whole number.
        const exact = (t: Tensor): boolean =>
          t.dtype.name === 'int64' && valuesOf(t).every((v) => v < 2 ** 24 && v > -(2 ** 24));
        if (!whole.every(exact)) return undefined;
        for (const dtype of ['float32', 'float64'] as const) {
          const floats = values.map((v) => (tensors.includes(v as Tensor) ? castTo(v as Tensor, toDType(dtype)) : v));
          const got = outputsOf(call(entry, floats));
          for (let k = 0; k < got.length; k++) {
            const gap = difference(castTo(got[k], whole[k].dtype), expectedOf(whole[k]));
            if (gap !== undefined) return `${dtype}: ${gap}`;
          }
        }
        return undefined;
      });
    }
    sweep.done();
  });
});
