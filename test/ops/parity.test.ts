import { describe, expect, test } from 'vitest';
import { grad } from '../../src/autograd/engine.js';
import type { DTypeName } from '../../src/core/dtype.js';
import type { Tensor } from '../../src/core/tensor.js';
import { manualSeed } from '../../src/tensor/create.js';
import { argumentsOf, draw, layouts, seedOf } from '../support/draw.js';
import { call, type Entry, entries, exported, outputsOf } from '../support/entries.js';
import { type Answer, type GoldenCase, goldens, unpack } from '../support/goldens.js';
import { Sweep } from '../support/sweep.js';
import { difference, zeroSign } from '../support/tolerances.js';
import { title } from './features.js';

/** Values, dtypes, shapes, gradients and refusals against PyTorch. */

function gradientsDiffer(
  entry: Entry,
  id: string,
  outputs: Tensor[],
  floats: Tensor[],
  answer: Answer,
): string | undefined {
  const tracked = outputs.map((out, k) => [out, k] as const).filter(([out]) => out.requiresGrad);
  if (answer.grads === undefined) {
    return tracked.length > 0 && answer.backwardThrows === undefined
      ? 'the result requires grad, that of PyTorch does not'
      : undefined;
  }
  if (tracked.length === 0) return 'the result does not require grad, that of PyTorch does';
  const seeds = tracked.map(([out, k]) => draw(`${id}#grad${k}`, out.shape, out.dtype.name, -1, 1));
  const found = grad(
    tracked.map(([out]) => out),
    floats,
    { gradOutputs: seeds, allowUnused: true },
  );
  for (let i = 0; i < floats.length; i++) {
    const want = answer.grads[i];
    const got = found[i];
    // No gradient and a gradient of zeros mean the same.
    if (want === null) {
      const zero =
        got === null ||
        difference(got, { dtype: got.dtype.name, shape: got.shape, values: new Array(got.count).fill(0) });
      if (zero !== null && zero !== true && zero !== undefined)
        return `gradient of input ${i}: PyTorch has none; ${zero}`;
      continue;
    }
    if (got === null) return `gradient of input ${i} is missing`;
    const gap = difference(got, unpack(want), entry.record);
    if (gap !== undefined) return `gradient of input ${i}: ${gap}`;
  }
  return undefined;
}

function check(entry: Entry, golden: GoldenCase, dtype: DTypeName, answer: Answer): string | undefined {
  const { values, tensors } = argumentsOf(golden.id, golden.args, dtype, golden.layout && layouts[golden.layout]);
  const floats = tensors.filter((t) => t.isFloatingPoint());
  const tracked = entry.record.differentiable && golden.group !== 'wide';
  if (tracked) for (const t of floats) t.requiresGrad_();
  manualSeed(seedOf(`${golden.id}#seed`));
  const supported = entry.record.dtypes.some((d) => d.name === dtype) || golden.group === 'promote';
  let outputs: Tensor[];
  try {
    outputs = outputsOf(call(entry, values));
  } catch (error) {
    if (answer.throws !== undefined || !supported) return undefined;
    throw error;
  }
  if (answer.throws !== undefined) {
    const bySignature = answer.throws.startsWith('TypeError');
    if (bySignature && entry.record.extension !== undefined) return undefined;
    return `PyTorch refuses this (${answer.throws}), we do not`;
  }
  const wanted = (answer.out ?? []).map(unpack);
  if (outputs.length !== wanted.length) return `${outputs.length} outputs, expected ${wanted.length}`;
  for (let k = 0; k < wanted.length; k++) {
    const sign = answer.looseSigns && zeroSign(outputs[k], wanted[k], answer.looseSigns);
    const gap = difference(outputs[k], wanted[k], entry.record) ?? sign;
    if (gap !== undefined) return wanted.length === 1 ? gap : `output ${k}: ${gap}`;
  }
  if (answer.view !== undefined) {
    const [out] = outputs;
    const got = { strides: out.stride(), offset: out.storageOffset(), shared: out.storage === tensors[0].storage };
    if (JSON.stringify(got) !== JSON.stringify(answer.view))
      return `layout ${JSON.stringify(got)}, expected ${JSON.stringify(answer.view)}`;
  }
  return tracked ? gradientsDiffer(entry, golden.id, outputs, floats, answer) : undefined;
}

const groups = {
  sample: 'parity',
  edge: 'parity on empty and 0-d inputs',
  special: 'parity on special values',
  promote: 'parity of promoted dtypes',
  number: 'parity with a number',
  wide: 'parity on many elements',
  layout: 'parity of strides and sharing',
};

describe('PyTorch goldens', () => {
  test('there is one for every op, made from the records as they are', (context) => {
    expect(goldens.torch).toMatch(/^2\.13\./);
    new Sweep(context).records(entries.length);
    const plain = (samples: unknown) => JSON.stringify(samples, (_, v) => (v === undefined ? null : v));
    const stale = entries.filter((entry) => {
      const golden = goldens.entries.find((g) => g.name === entry.name);
      return golden === undefined || plain(golden.samples) !== plain(entry.record.samples);
    });
    expect(
      stale.map((e) => e.name),
      'ops.json.gz is older than these records: build, then run test/goldens/make.py',
    ).toEqual([]);
  });

  test('every op has samples', () => {
    expect(entries.filter((e) => e.record.samples.length === 0).map((e) => e.name)).toEqual([]);
  });

  for (const golden of goldens.entries) {
    const entry = exported.find((e) => e.name === golden.name);
    if (entry === undefined) continue;
    for (const [group, what] of Object.entries(groups)) {
      const cases = golden.cases.filter((c) => c.group === group);
      if (cases.length === 0) continue;
      test(title(golden.name, what), (context) => {
        const sweep = new Sweep(context);
        for (const c of cases) {
          for (const [dtype, answer] of Object.entries(c.results) as [DTypeName, Answer][]) {
            sweep.case(`${c.id} ${dtype} (seed ${seedOf(`${c.id}#0`)})`, () => check(entry, c, dtype, answer));
          }
        }
        sweep.done();
      });
    }
  }
});
