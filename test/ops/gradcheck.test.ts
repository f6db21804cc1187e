import { describe, test } from 'vitest';
import { grad } from '../../src/autograd/engine.js';
import { gradcheck, gradgradcheck } from '../../src/autograd/gradcheck.js';
import type { Tensor } from '../../src/core/tensor.js';
import { argumentsOf, draw, seedOf } from '../support/draw.js';
import { call, type Entry, entries, outputsOf } from '../support/entries.js';
import { Sweep } from '../support/sweep.js';
import { difference, expectedOf } from '../support/tolerances.js';
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

/** The gradient that can be differentiated again and the fused one come from different code. */
function recordedGradients(fn: (...inputs: Tensor[]) => Tensor[], inputs: Tensor[]): string | undefined {
  const outputs = fn(...inputs).filter((out) => out.requiresGrad);
  const gradOutputs = outputs.map((out, k) => draw(`recorded ${k}`, out.shape, out.dtype.name, -1, 1));
  const plain = grad(outputs, inputs, { gradOutputs, retainGraph: true, allowUnused: true });
  const recorded = grad(outputs, inputs, { gradOutputs, createGraph: true, allowUnused: true });
  for (let k = 0; k < inputs.length; k++) {
    const [a, b] = [recorded[k], plain[k]];
    if (a === null || b === null) {
      if (a !== b) return `gradient ${k} with or without createGraph only`;
      continue;
    }
    const gap = difference(a, expectedOf(b));
    if (gap !== undefined) return `gradient ${k} with createGraph: ${gap}`;
  }
  return undefined;
}

const checks = { gradcheck, gradgradcheck, 'gradients with createGraph': recordedGradients };

describe('derivatives', () => {
  for (const entry of entries.filter((e) => e.record.differentiable)) {
    for (const [what, check] of Object.entries(checks)) {
      test(title(entry.name, what), (context) => {
        const sweep = new Sweep(context);
        entry.record.samples.forEach((_, i) => {
          sweep.case(`${entry.name}/${i} float64 (seed ${seedOf(`${entry.name}/${i}#0`)})`, () => {
            const checked = functionOf(entry, i);
            if (checked === undefined) return undefined;
            if (check !== recordedGradients) sweep.gradcheck();
            const problem = check(checked.fn, checked.inputs);
            return typeof problem === 'string' ? problem : undefined;
          });
        });
        sweep.done();
      });
    }
  }
});
