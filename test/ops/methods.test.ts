import * as torch from 'typetorch';
import { describe, expect, test } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { manualSeed } from '../../src/tensor/create.js';
import { argumentsOf, seedOf } from '../support/draw.js';
import {
  type Callable,
  type Entry,
  entries,
  exported,
  internal,
  outputsOf,
  type Result,
  writesSelf,
} from '../support/entries.js';
import { Sweep } from '../support/sweep.js';
import { difference, expectedOf } from '../support/tolerances.js';

/** Functions, methods and documentation that follow from one record agree. */

function same(a: Result, b: Result): string | undefined {
  const [got, want] = [outputsOf(a), outputsOf(b)];
  if (got.length !== want.length) return `${got.length} outputs against ${want.length}`;
  for (let k = 0; k < got.length; k++) {
    const gap = difference(got[k], expectedOf(want[k]));
    if (gap !== undefined) return gap;
  }
  return undefined;
}

/** Calls of the method that may mean the same as the function's: any tensor may be the one it is called on. */
function methodCalls(entry: Entry, values: readonly unknown[]): [Tensor, unknown[]][] {
  const places = values.map((v, k) => [v, k] as const).filter(([v]) => v instanceof Tensor);
  const selves = entry.record.method === undefined ? places.slice(0, 1) : places;
  return selves.map(([v, k]) => [v as Tensor, values.toSpliced(k, 1)]);
}

function agrees(entry: Entry, sample: number): string | undefined {
  const id = `${entry.name}/${sample}`;
  const dtype = entry.record.dtypes.some((d) => d.name === 'float32') ? 'float32' : entry.record.dtypes[0].name;
  const made = () => argumentsOf(id, entry.record.samples[sample].args, dtype).values;
  const run = (body: () => Result) => {
    manualSeed(seedOf(id));
    return body();
  };
  const want = run(() => entry.fn(...made()));
  const problems = methodCalls(entry, made()).map(([self, rest]) => {
    const method = (self as unknown as Record<string, Callable>)[entry.name];
    if (typeof method !== 'function') return `there is no method ${entry.name}`;
    try {
      return same(
        run(() => method.apply(self, rest)),
        want,
      );
    } catch (error) {
      return String(error);
    }
  });
  return problems.includes(undefined) ? undefined : problems.join('; ');
}

describe('methods and functions', () => {
  test('every method gives what its function gives', (context) => {
    const sweep = new Sweep(context);
    for (const entry of entries.filter((e) => e.family !== 'functional')) {
      entry.record.samples.forEach((_, i) => {
        sweep.case(`${entry.name}/${i}`, () => agrees(entry, i));
      });
    }
    sweep.done();
  });

  test('every in-place form is a method with an underscore, and only these are', () => {
    const prototype = Tensor.prototype as unknown as Record<string, unknown>;
    for (const entry of exported.filter((e) => e.family === 'torch')) {
      expect(typeof prototype[`${entry.name}_`], `${entry.name}_`).toBe(
        entry.inPlace === undefined ? 'undefined' : 'function',
      );
    }
    for (const entry of entries.filter((e) => !writesSelf(e))) {
      expect(entry.record.inplace, `${entry.name}: record.inplace`).toBe(entry.inPlace !== undefined);
    }
  });

  test('functions are in the namespace that PyTorch has them in', () => {
    const spaces = { torch, functional: torch.nn.functional, method: {} } as unknown as Record<
      Entry['family'],
      Record<string, unknown>
    >;
    // `bool`, `float` and the like name dtypes there, as in PyTorch.
    const dtypes = new Set(['bool', 'float', 'double', 'int', 'long']);
    const missing = exported.filter(
      (e) => e.family !== 'method' && !dtypes.has(e.name) && spaces[e.family][e.name] !== e.fn,
    );
    expect(missing.map((e) => e.name)).toEqual([]);
  });

  test('a number may stand first where an op takes two', (context) => {
    const sweep = new Sweep(context);
    const takesNumber = (e: Entry) =>
      e.record.kind === 'pointwise' &&
      e.record.samples.some(({ args }) => args.length === 2 && 'value' in args[1] && typeof args[1].value === 'number');
    for (const entry of entries.filter(takesNumber)) {
      sweep.case(`${entry.name}(2, tensor) float32`, () => {
        const [x] = argumentsOf(`${entry.name}/number`, [{ shape: [5], low: 0.5, high: 2 }], 'float32').values;
        return same(entry.fn(2, x), entry.fn(torch.full([5], 2), x));
      });
    }
    sweep.done();
  });
});

describe('records', () => {
  test('every record says what the op does and has one of its names', () => {
    for (const record of [...entries.map((e) => e.record), ...internal]) {
      expect(record.doc.length, `doc of ${record.name}`).toBeGreaterThan(5);
      expect(record.dtypes.length, `dtypes of ${record.name}`).toBeGreaterThan(0);
      if (record.tolerance !== undefined) expect(record.tolerance.reason.length, record.name).toBeGreaterThan(20);
    }
    const names = entries.map((e) => e.record.name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(entries.filter((e) => e.name !== e.record.name).map((e) => e.name)).toEqual([]);
  });

  test('names of gradients and fused forms stay inside', () => {
    expect(internal.filter((r) => r.name in torch).map((r) => r.name)).toEqual([]);
  });
});
