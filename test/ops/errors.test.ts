import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/core/tensor.js';
import { argumentsOf } from '../support/draw.js';
import { entries } from '../support/entries.js';
import { Sweep, thrown } from '../support/sweep.js';
import { difference, expectedOf } from '../support/tolerances.js';
import { title } from './features.js';

/** Calls that must be refused, with the words of the refusal, and nothing changed by them. */

describe('refusals', () => {
  for (const entry of entries.filter((e) => e.record.errors.length > 0)) {
    test(title(entry.name, 'refuses wrong calls'), (context) => {
      const sweep = new Sweep(context);
      entry.record.errors.forEach(({ args, message }, i) => {
        const id = `${entry.name}/error${i}`;
        const forms = [entry.fn, ...(entry.inPlace === undefined ? [] : [entry.inPlace])];
        forms.forEach((fn, form) => {
          sweep.case(`${id} float32${form === 1 ? ' in place' : ''}`, () => {
            const { values, tensors } = argumentsOf(id, args, 'float32');
            const before = tensors.map((t) => [t, expectedOf(t), t._version] as const);
            const error = thrown(() => fn(...values));
            if (error === undefined) return `accepted, expected "${message}"`;
            if (!error.message.includes(message)) return `refused with "${error.message}", expected "${message}"`;
            for (const [t, expected, version] of before) {
              if (t._version !== version) return 'a version changed';
              const gap = difference(t, expected);
              if (gap !== undefined) return `an input changed: ${gap}`;
            }
            return undefined;
          });
        });
      });
      sweep.done();
    });
  }

  test('every function wants a tensor first and names itself', () => {
    const wrong = entries.filter((entry) => {
      const error = thrown(() => entry.fn('x' as unknown as Tensor));
      return (
        !(error instanceof TypeError) ||
        !error.message.includes('must be Tensor, not string') ||
        !error.message.startsWith(`${entry.name}()`)
      );
    });
    expect(wrong.map((e) => e.name)).toEqual([]);
  });
});
