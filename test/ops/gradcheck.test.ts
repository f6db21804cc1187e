import { describe, test } from 'vitest';
import { gradcheck, gradgradcheck } from '../../src/autograd/gradcheck.js';
import type { Tensor } from '../../src/core/tensor.js';
import { argumentsOf, seedOf } from '../support/draw.js';
import { call, type Entry, entries, outputsOf } from '../support/entries.js';
import { Sweep } from '../support/sweep.js';
import { title } from './features.js';

/** First and second derivatives against central differences in float64, and backward twice against itself. */

const LIMIT = 48;

/** The op as a function of its float inputs, or undefined where nothing is to be checked. */
function functionOf(
  entry: Entry,
  sample: number,
): { fn: (...inputs: Tensor[]) => Tensor[]; inputs: Tensor[] } | undefined {
  const id = `${entry.name}/${sample}`;
  const { values, tensors } = argumentsOf(id, entry.record.samples[sample].args, 'float64');
  const inputs = tensors.filter((t) => t.dtype.name === 'float64');
  const fn = (...given: Tensor[]): Tensor[] => {
    const swap = (v: unknown): unknown =>
      Array.isArray(v) ? v.map(swap) : inputs.includes(v as Tensor) ? given[inputs.indexOf(v as Tensor)] : v;
    return outputsOf(call(entry, values.map(swap))).filter((out) => out.isFloatingPoint());
  };
  const size = inputs.reduce((n, t) => n + t.count, 0);
  // Results of other dtypes have no gradient to check.
  const outputs = fn(...inputs).filter((out) => out.dtype.name === 'float64');
  if (inputs.length === 0 || size > LIMIT || outputs.some((out) => out.count > LIMIT)) return undefined;
  if (outputs.length === 0) return undefined;
  for (const input of inputs) input.requiresGrad_();
  return fn(...inputs).some((out) => out.requiresGrad) ? { fn, inputs } : undefined;
}

const checks = { gradcheck, gradgradcheck };

describe('derivatives', () => {
  for (const entry of entries.filter((e) => e.record.differentiable)) {
    for (const [what, check] of Object.entries(checks)) {
      test(title(entry.name, what), (context) => {
        const sweep = new Sweep(context);
        entry.record.samples.forEach((_, i) => {
          sweep.case(`${entry.name}/${i} float64 (seed ${seedOf(`${entry.name}/${i}#0`)})`, () => {
            const checked = functionOf(entry, i);
            if (checked === undefined) return;
            sweep.gradcheck();
            check(checked.fn, checked.inputs);
          });
        });
        sweep.done();
      });
    }
  }
});
