import { describe, test } from 'vitest';
import { grad } from '../../src/autograd/engine.js';
import type { DTypeName } from '../../src/core/dtype.js';
import type { Tensor } from '../../src/core/tensor.js';
import { manualSeed } from '../../src/tensor/create.js';
import { argumentsOf, draw, layouts, seedOf, stretched } from '../support/draw.js';
import { call, type Entry, entries, outputsOf } from '../support/entries.js';
import { Sweep, thrown } from '../support/sweep.js';
import { difference, expectedOf } from '../support/tolerances.js';
import { title } from './features.js';

/** The same values elsewhere in memory give the same results and gradients. */

type Place = (t: Tensor) => Tensor;
const packed: Place = (t) => t.clone();

/** For each layout how the arguments are placed, and the placement with the same values that it is compared with. */
const placements: Record<string, { place: (argument: number) => Place; like: Place }> = {
  transposed: { place: () => layouts.transposed, like: packed },
  sliced: { place: () => layouts.sliced, like: packed },
  'transposed and packed': { place: (i) => (i % 2 === 0 ? layouts.transposed : packed), like: packed },
  'packed and sliced': { place: (i) => (i % 2 === 0 ? packed : layouts.sliced), like: packed },
  'transposed and sliced': { place: (i) => (i % 2 === 0 ? layouts.transposed : layouts.sliced), like: packed },
  stretched: { place: () => stretched, like: (t) => stretched(t).clone() },
  'packed and stretched': { place: (i) => (i % 2 === 0 ? packed : stretched), like: (t) => t },
};

interface Run {
  outputs: Tensor[];
  grads: (Tensor | null)[];
}

function run(entry: Entry, id: string, sample: number, dtype: DTypeName, place: (argument: number) => Place): Run {
  let count = 0;
  const { values, tensors } = argumentsOf(id, entry.record.samples[sample].args, dtype, (t) => place(count++)(t));
  const floats = entry.record.differentiable ? tensors.filter((t) => t.isFloatingPoint()) : [];
  for (const t of floats) t.requiresGrad_();
  manualSeed(seedOf(id));
  const outputs = outputsOf(call(entry, values));
  const tracked = outputs.filter((out) => out.requiresGrad);
  const seeds = tracked.map((out, k) => layouts.transposed(draw(`${id}#grad${k}`, out.shape, out.dtype.name, -1, 1)));
  const grads = tracked.length === 0 ? [] : grad(tracked, floats, { gradOutputs: seeds, allowUnused: true });
  return { outputs, grads };
}

function compare(entry: Entry, got: Run, want: Run): string | undefined {
  for (let k = 0; k < want.outputs.length; k++) {
    const gap = difference(got.outputs[k], expectedOf(want.outputs[k]), entry.record);
    if (gap !== undefined) return `output ${k}: ${gap}`;
  }
  for (let k = 0; k < want.grads.length; k++) {
    const [a, b] = [got.grads[k], want.grads[k]];
    if (a === null || b === null) {
      if (a !== b) return `gradient ${k}: ${a === null ? 'missing' : 'there'} in one layout only`;
      continue;
    }
    const gap = difference(a, expectedOf(b), entry.record);
    if (gap !== undefined) return `gradient ${k}: ${gap}`;
  }
  return undefined;
}

describe('layouts in memory', () => {
  for (const entry of entries.filter((e) => e.record.kind !== 'random' && !e.record.readsMemory)) {
    test(title(entry.name, 'with views as inputs'), (context) => {
      const sweep = new Sweep(context);
      entry.record.samples.forEach((_, i) => {
        for (const dtype of entry.record.dtypes.map((d) => d.name)) {
          for (const [name, { place, like }] of Object.entries(placements)) {
            const id = `${entry.name}/${i}`;
            sweep.case(`${id} ${dtype} ${name} (seed ${seedOf(`${id}#0`)})`, () => {
              const mixed = name === 'packed and stretched';
              const plain = (k: number): Place => (mixed && k % 2 === 1 ? (t) => stretched(t).clone() : like);
              let want: Run;
              try {
                want = run(entry, id, i, dtype, plain);
              } catch {
                // Refusals are compared with PyTorch's elsewhere.
                return;
              }
              const refusal = thrown(() => run(entry, id, i, dtype, place));
              if (refusal?.message.startsWith('view size is not compatible')) return;
              return compare(entry, run(entry, id, i, dtype, place), want);
            });
          }
        }
      });
      sweep.done();
    });
  }
});
