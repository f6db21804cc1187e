import { describe, test } from 'vitest';
import { grad } from '../../src/autograd/engine.js';
import { canCast, type DTypeName } from '../../src/core/dtype.js';
import { sameShape } from '../../src/core/shape.js';
import { Tensor } from '../../src/core/tensor.js';
import { castTo } from '../../src/ops/iterate.js';
import { argumentsOf, draw, layouts, seedOf } from '../support/draw.js';
import { type Callable, dtypeNames, type Entry, entries } from '../support/entries.js';
import { Sweep, thrown } from '../support/sweep.js';
import { difference, expectedOf } from '../support/tolerances.js';
import { title } from './features.js';

/** In-place forms against the functional ones: same values, same storage, counted versions, refusals that change nothing. */

const inPlaceOf = (entry: Entry) => entry.inPlace as Callable;

function written(
  entry: Entry,
  id: string,
  sample: number,
  dtype: DTypeName,
  place: (t: Tensor) => Tensor,
): string | undefined {
  const { values } = argumentsOf(id, entry.record.samples[sample].args, dtype);
  const [first, ...rest] = values as [Tensor, ...unknown[]];
  let functional: Tensor;
  try {
    functional = entry.fn(first, ...rest) as Tensor;
  } catch (error) {
    const x = place(first);
    const before = expectedOf(x);
    if (thrown(() => inPlaceOf(entry)(x, ...rest)) === undefined)
      return `accepted, but ${entry.name}() throws ${(error as Error).message}`;
    return difference(x, before);
  }
  const x = place(first);
  const before = expectedOf(x);
  const { version } = x.storage;
  const fits = sameShape(functional.shape, x.shape) && canCast(functional.dtype, x.dtype);
  if (!fits) {
    if (thrown(() => inPlaceOf(entry)(x, ...rest)) === undefined) {
      return `result of ${functional.dtype.name} [${functional.shape.join(', ')}] was accepted in ${x.dtype.name} [${x.shape.join(', ')}]`;
    }
    if (x.storage.version !== version) return 'the version changed although the call was refused';
    return difference(x, before);
  }
  const { storage } = x;
  const result = inPlaceOf(entry)(x, ...rest);
  if (result !== x) return 'the result is not the tensor itself';
  if (x.storage !== storage) return 'the storage changed';
  if (x.storage.version !== version + 1) return `version ${version} became ${x.storage.version}`;
  return difference(x, expectedOf(castTo(functional, x.dtype)), entry.record);
}

/** The second operand may be the tensor itself, but no other view of what is written. */
function overlap(entry: Entry, id: string, sample: number): string | undefined {
  const [first, second] = argumentsOf(id, entry.record.samples[sample].args, 'float32').values as Tensor[];
  if (!(second instanceof Tensor) || first.ndim === 0 || first.shape[0] < 2 || !sameShape(first.shape, second.shape))
    return undefined;
  const n = first.shape[0] - 1;
  const before = expectedOf(first);
  const error = thrown(() => inPlaceOf(entry)(first.narrow(0, 0, n), first.narrow(0, 1, n)));
  if (!error?.message.includes('refer to a single memory location'))
    return `overlapping operands gave ${error?.message ?? 'a result'}`;
  const gap = difference(first, before);
  if (gap !== undefined || !canCast((entry.fn(first, first) as Tensor).dtype, first.dtype)) return gap;
  const want = expectedOf(castTo(entry.fn(first, first) as Tensor, first.dtype));
  return difference(inPlaceOf(entry)(first, first) as Tensor, want, entry.record);
}

/** A refusal that comes from the values, such as a division by zero, leaves the tensor as it was. */
function zeros(entry: Entry, id: string, sample: number, dtype: DTypeName): string | undefined {
  const [first, second] = argumentsOf(id, entry.record.samples[sample].args, dtype).values as Tensor[];
  if (!(second instanceof Tensor) || second.count === 0) return undefined;
  second.view([-1]).select(0, -1).fill_(0);
  const before = expectedOf(first);
  return thrown(() => inPlaceOf(entry)(first, second)) === undefined ? undefined : difference(first, before);
}

function leafRefused(entry: Entry, id: string): string | undefined {
  const { values } = argumentsOf(id, entry.record.samples[0].args, 'float32');
  const [x, ...rest] = values as [Tensor, ...unknown[]];
  x.requiresGrad_();
  const before = expectedOf(x);
  const error = thrown(() => inPlaceOf(entry)(x, ...rest));
  if (!error?.message.includes('a leaf Variable that requires grad'))
    return `expected a refusal, got ${error?.message}`;
  if (x._version !== 0) return 'the version changed although the call was refused';
  return difference(x, before);
}

/** Gradients through the in-place form and through the functional one. */
function gradients(entry: Entry, id: string, sample: number, inPlace: boolean): (Tensor | null)[] {
  const { values, tensors } = argumentsOf(id, entry.record.samples[sample].args, 'float64');
  for (const t of tensors) if (t.isFloatingPoint()) t.requiresGrad_();
  const [first, ...rest] = values as [Tensor, ...unknown[]];
  const start = first.clone();
  const out = (inPlace ? inPlaceOf(entry)(start, ...rest) : entry.fn(start, ...rest)) as Tensor;
  if (!out.requiresGrad) return [];
  const seed = draw(`${id}#grad`, out.shape, out.dtype.name, -1, 1);
  return grad(
    out,
    tensors.filter((t) => t.requiresGrad),
    { gradOutputs: seed, allowUnused: true },
  );
}

function sameGradients(entry: Entry, id: string, sample: number): string | undefined {
  const { values } = argumentsOf(id, entry.record.samples[sample].args, 'float64');
  const first = values[0] as Tensor;
  const plain = entry.fn(...values) as Tensor;
  if (!sameShape(plain.shape, first.shape) || plain.dtype !== first.dtype) return undefined;
  const want = gradients(entry, id, sample, false);
  const got = gradients(entry, id, sample, true);
  for (let k = 0; k < want.length; k++) {
    const expected = want[k];
    const found = got[k];
    if (expected === null || found === null) {
      if (expected !== found) return `gradient ${k} in one form only`;
      continue;
    }
    const gap = difference(found, expectedOf(expected), entry.record);
    if (gap !== undefined) return `gradient ${k}: ${gap}`;
  }
  return undefined;
}

const places = { 'as it is': (t: Tensor) => t.clone(), ...layouts };

describe('in place', () => {
  for (const entry of entries.filter((e) => e.inPlace !== undefined)) {
    test(title(`${entry.name}_`, 'writes what the functional form returns'), (context) => {
      const sweep = new Sweep(context);
      entry.record.samples.forEach((_, i) => {
        const id = `${entry.name}/${i}`;
        for (const dtype of dtypeNames) {
          for (const [name, place] of Object.entries(places)) {
            sweep.case(`${id} ${dtype} ${name} (seed ${seedOf(`${id}#0`)})`, () => written(entry, id, i, dtype, place));
          }
        }
        sweep.case(`${id} float32 with overlapping operands`, () => overlap(entry, id, i));
        for (const dtype of ['float32', 'int64', 'uint8'] as const) {
          sweep.case(`${id} ${dtype} with a zero`, () => zeros(entry, id, i, dtype));
        }
        if (entry.record.differentiable) {
          sweep.case(`${id} float64 gradients (seed ${seedOf(`${id}#0`)})`, () => sameGradients(entry, id, i));
        }
      });
      sweep.case(`${entry.name}/0 float32 on a leaf`, () => leafRefused(entry, `${entry.name}/0`));
      sweep.done();
    });
  }

  for (const entry of entries.filter((e) => e.name.endsWith('_'))) {
    test(title(entry.name, 'writes into its tensor'), (context) => {
      const sweep = new Sweep(context);
      entry.record.samples.forEach((sample, i) => {
        const id = `${entry.name}/${i}`;
        sweep.case(`${id} float32 (seed ${seedOf(`${id}#0`)})`, () => {
          const [x, ...rest] = argumentsOf(id, sample.args, 'float32').values as [Tensor, ...unknown[]];
          const { storage, _version } = x;
          if (entry.fn(x, ...rest) !== x) return 'the result is not the tensor itself';
          if (x.storage !== storage) return 'the storage changed';
          return x._version === _version + 1 ? undefined : `version ${_version} became ${x._version}`;
        });
        sweep.case(`${id} float32 on a leaf`, () => {
          const [x, ...rest] = argumentsOf(id, sample.args, 'float32').values as [Tensor, ...unknown[]];
          const before = expectedOf(x.requiresGrad_());
          const error = thrown(() => entry.fn(x, ...rest));
          if (!error?.message.includes('a leaf Variable that requires grad'))
            return `expected a refusal, got ${error?.message}`;
          return difference(x, before);
        });
      });
      sweep.done();
    });
  }
});
