import { afterEach, describe, expect, test } from 'vitest';
import { addIndent, moduleListToString, moduleToString, pyFloat, pyRepr } from '../src/nn/format.js';
import {
  formatExponent,
  formatFixed,
  formatParameter,
  formatTensor,
  getPrintOptions,
  type Printable,
  type SetPrintOptions,
  setPrintOptions,
  withPrintOptions,
} from '../src/tensor/format.js';
import { readGolden } from './support/platform.js';

type Value = number | boolean | string;

interface Case {
  group: string;
  shape: number[];
  dtype: string;
  text: string;
  /** The elements in order, or the steps between the positions that may be read and the elements there. */
  data?: Value[];
  at?: [steps: number[], values: Value[]];
  strides?: number[];
  offset?: number;
  requiresGrad?: boolean;
  gradFn?: string;
  parameter?: boolean;
  device?: string;
  default?: string;
  options?: Omit<SetPrintOptions, 'threshold'> & { threshold?: number | 'inf' };
}

interface ModuleTree {
  name: string;
  extra: string;
  children: [name: string, child: ModuleTree][];
  list: boolean;
  text: string;
}

interface Goldens {
  torch: string;
  cases: Case[];
  numbers: [x: number, decimals: number, fixed: string, exponent: string, repr: string][];
  strings: [text: string, repr: string][];
  modules: ModuleTree[];
}

const goldens = await readGolden<Goldens>('format');

const words: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

function decode(value: Value): number | bigint | boolean {
  return typeof value === 'string' ? (words[value] ?? BigInt(value)) : value;
}

function readable(entry: Case): Map<number, Value> {
  const [steps, values] = entry.at ?? [(entry.data ?? []).map((_, i) => Math.min(i, 1)), entry.data ?? []];
  const map = new Map<number, Value>();
  let position = 0;
  values.forEach((value, i) => {
    position += steps[i] ?? 0;
    map.set(position, value);
  });
  return map;
}

function printable(entry: Case, reads: Map<number, number>): Printable {
  const elements = readable(entry);
  return {
    shape: entry.shape,
    dtype: entry.dtype,
    strides: entry.strides,
    offset: entry.offset,
    requiresGrad: entry.requiresGrad,
    gradFn: entry.gradFn,
    device: entry.device,
    defaultDtype: entry.default ?? 'float32',
    at(position) {
      const value = elements.get(position);
      if (value === undefined) throw new RangeError(`read of ${position}, which is not shown`);
      reads.set(position, (reads.get(position) ?? 0) + 1);
      return decode(value);
    },
  };
}

function print(entry: Case): string {
  setPrintOptions({ profile: 'default' });
  if (entry.options) {
    const { threshold, ...rest } = entry.options;
    setPrintOptions({ ...rest, threshold: threshold === 'inf' ? Number.POSITIVE_INFINITY : threshold });
  }
  const tensor = printable(entry, new Map());
  return entry.parameter ? formatParameter(tensor) : formatTensor(tensor);
}

function vector(values: number[], more: Partial<Printable> = {}): Printable {
  const at = (i: number): number => values[i] ?? Number.NaN;
  return { shape: [values.length], dtype: 'float32', defaultDtype: 'float32', at, ...more };
}

afterEach(() => setPrintOptions({ profile: 'default' }));

describe('printing as PyTorch', () => {
  const groups = [...new Set(goldens.cases.map((entry) => entry.group))];
  test('there are enough cases', () => {
    expect(goldens.torch).toMatch(/^2\.13\./);
    expect(goldens.cases.length).toBeGreaterThan(300);
  });
  test.each(groups)('%s', (group) => {
    for (const entry of goldens.cases) {
      if (entry.group === group) expect(print(entry)).toBe(entry.text);
    }
  });
  test('an element is read once', () => {
    const entry = goldens.cases.find(({ shape }) => shape[0] === 1000 && shape[1] === 1000);
    if (!entry) throw new Error('no such case');
    const reads = new Map<number, number>();
    formatTensor(printable(entry, reads));
    expect(reads.size).toBe(36);
    expect([...reads.values()].every((count) => count === 1)).toBe(true);
  });
  test('a device other than the default comes first', () => {
    expect(formatTensor(vector([1, 2], { device: 'webgpu:0', dtype: 'float16', requiresGrad: true }))).toBe(
      "tensor([1., 2.], device='webgpu:0', dtype=torch.float16, requires_grad=True)",
    );
  });
  test('a bool may be stored as 0 and 1', () => {
    expect(formatTensor(vector([1, 0], { dtype: 'bool' }))).toBe('tensor([ True, False])');
  });
});

describe('print options', () => {
  test('start from the default profile', () => {
    const expected = { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80, sciMode: null };
    expect(getPrintOptions()).toEqual(expected);
  });
  test('are a copy that can be given back', () => {
    setPrintOptions({ profile: 'short', linewidth: 50, sciMode: true });
    const saved = getPrintOptions();
    expect(saved).toEqual({ precision: 2, threshold: 1000, edgeitems: 2, linewidth: 50, sciMode: true });
    saved.precision = 9;
    expect(getPrintOptions().precision).toBe(2);
    saved.precision = 2;
    setPrintOptions({ profile: 'full' });
    expect(getPrintOptions().threshold).toBe(Number.POSITIVE_INFINITY);
    setPrintOptions(saved);
    expect(getPrintOptions()).toEqual(saved);
  });
  test('sciMode goes back to automatic when left out', () => {
    setPrintOptions({ sciMode: true });
    setPrintOptions({ precision: 3 });
    expect(getPrintOptions()).toMatchObject({ precision: 3, sciMode: null });
  });
  test('hold for one call when passed to formatTensor', () => {
    expect(formatTensor(vector([0.5]), { ...getPrintOptions(), precision: 1 })).toBe('tensor([0.5])');
    expect(formatTensor(vector([0.5]))).toBe('tensor([0.5000])');
  });
  test('are restored after withPrintOptions', () => {
    expect(withPrintOptions({ precision: 1 }, () => formatTensor(vector([0.5])))).toBe('tensor([0.5])');
    const fail = (): never => {
      throw new Error('inside');
    };
    expect(() => withPrintOptions({ precision: 1 }, fail)).toThrow('inside');
    expect(getPrintOptions().precision).toBe(4);
  });
  test.each([
    [{ presision: 3 }, /unknown option 'presision' \(known: precision, /],
    [{ sci_mode: true }, /unknown option 'sci_mode'/],
    [{ profile: 'long' }, /profile must be 'default', 'short' or 'full', got 'long'/],
    [{ profile: 'toString' }, /profile must be/],
    [{ precision: -1 }, /precision must be a non-negative integer, got -1/],
    [{ edgeitems: 1.5 }, /edgeitems must be/],
    [{ linewidth: '80' }, /linewidth must be/],
    [{ sciMode: 1 }, /sciMode must be true, false or null, got 1/],
    [{ precision: 3, threshold: Number.NaN }, /threshold must be/],
  ])('%o is refused and changes nothing', (options, message) => {
    const before = getPrintOptions();
    expect(() => setPrintOptions(options as SetPrintOptions)).toThrow(message);
    expect(getPrintOptions()).toEqual(before);
  });
});

describe('numbers as Python writes them', () => {
  test('%f, %e and repr', () => {
    for (const [x, decimals, fixed, exponent, repr] of goldens.numbers) {
      expect([formatFixed(x, decimals), formatExponent(x, decimals), pyFloat(x)]).toEqual([fixed, exponent, repr]);
    }
  });
  test('values that are not finite', () => {
    for (const [word, x] of Object.entries(words)) {
      expect([formatFixed(x, 2), formatExponent(x, 2), pyFloat(x), pyRepr(x)]).toEqual([word, word, word, word]);
    }
  });
});

describe('pyRepr', () => {
  test.each(goldens.strings)('string %j', (text, repr) => {
    expect(pyRepr(text)).toBe(repr);
  });
  test.each([
    [true, 'True'],
    [false, 'False'],
    [null, 'None'],
    [undefined, 'None'],
    [3, '3'],
    [-7, '-7'],
    [1e21, '1000000000000000000000'],
    [12n, '12'],
    [0.001, '0.001'],
    [1e-5, '1e-05'],
    [-0, '-0.0'],
    [[3, 3], '(3, 3)'],
    [[1], '(1,)'],
    [[], '()'],
    [[0.9, 0.999], '(0.9, 0.999)'],
    [[1, null, 'same', [2, false]], "(1, None, 'same', (2, False))"],
    [{ toString: () => 'torch.float32' }, 'torch.float32'],
  ])('%o', (value, repr) => {
    expect(pyRepr(value)).toBe(repr);
  });
  test('whole floats', () => {
    expect(pyRepr(1, true)).toBe('1.0');
    expect(pyRepr([0, 1], true)).toBe('(0.0, 1.0)');
  });
});

describe('modules', () => {
  const render = ({ name, extra, children, list }: ModuleTree): string =>
    list
      ? moduleListToString(
          name,
          children.map(([, child]) => render(child)),
        )
      : moduleToString(
          name,
          extra,
          children.map(([key, child]) => [key, render(child)]),
        );
  test.each(goldens.modules.map((tree) => [tree.name, tree] as const))('%s', (_, tree) => {
    expect(render(tree)).toBe(tree.text);
  });
  test('addIndent leaves the first line and blank lines', () => {
    expect(addIndent('a\n\n  \nb', 2)).toBe('a\n\n\n  b');
    expect(addIndent('  ', 2)).toBe('  ');
  });
});
