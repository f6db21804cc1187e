import { describe, expect, test } from 'vitest';
import { DEFAULT_SEED, defaultGenerator, Generator } from '../src/core/generator.js';
import {
  type AnyOut,
  bernoulli_,
  bernoulliTensor_,
  cauchy_,
  exponential_,
  type FloatOut,
  geometric_,
  logNormal_,
  multinomial,
  normal_,
  normalSerial_,
  random_,
  randomFromTo_,
  randperm,
  seedFromRandom64,
  uniform_,
} from '../src/core/random-fill.js';
import { bytesOf, readGolden, sameBytes, sha256 } from './support/platform.js';

type Dtype = 'float32' | 'float64' | 'int64' | 'int32' | 'uint8' | 'bool';
type Argument = number | string | boolean | null;

interface Step {
  op: string;
  dtype: Dtype;
  n: number;
  args: Argument[];
  data: string;
}

interface Golden {
  torch: string;
  known: Record<'rand' | 'randn' | 'randnLong' | 'randperm' | 'randint' | 'bernoulli', number[]>;
  loader: { seed: number; epochs: number[][][]; seeds: string[] };
  cases: (Step & { seed: number | string; after: string; initial?: string })[];
  /** Long fills; their data is the SHA-256 of the bytes. */
  digests: (Step & { seed: number; after: string })[];
  sequence: { seed: number; start: string; steps: (Step & { state: string })[] };
}

const golden = await readGolden<Golden>('random');

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

function expected(step: Step): AnyOut {
  const dtype = step.op === 'multinomial' ? 'int64' : step.dtype;
  return new ARRAYS[dtype](bytesOf(step.data).buffer);
}

function probabilities(dtype: Argument, n: number): FloatOut {
  const out = new ARRAYS[dtype as 'float32' | 'float64'](n);
  return out.map((_, i) => i / n);
}

function rawBytes(array: AnyOut): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function bound(value: Argument): bigint | null {
  return value === null ? null : BigInt(value as number | string);
}

function run(generator: Generator, step: Step): AnyOut {
  const { op, dtype, n } = step;
  const out = new ARRAYS[dtype](n);
  const floats = out as FloatOut;
  const [first, second] = step.args as number[];
  if (op === 'rand') uniform_(generator, floats);
  else if (op === 'uniform_') uniform_(generator, floats, first, second);
  else if (op === 'randn') normal_(generator, floats);
  else if (op === 'normal_') normal_(generator, floats, first, second);
  else if (op === 'normalSerial_') normalSerial_(generator, floats, first, second);
  else if (op === 'logNormal_') logNormal_(generator, floats, first, second);
  else if (op === 'exponential_') exponential_(generator, floats, first);
  else if (op === 'cauchy_') cauchy_(generator, floats, first, second);
  else if (op === 'geometric_') geometric_(generator, out, first);
  else if (op === 'bernoulli_') bernoulli_(generator, out, first);
  else if (op === 'bernoulliTensor_') bernoulliTensor_(generator, out, probabilities(step.args[0], n));
  else if (op === 'randperm') randperm(generator, out);
  else if (op === 'random_' && step.args.length === 0) random_(generator, out, dtype === 'bool');
  else if (op === 'random_') {
    randomFromTo_(generator, out, bound(step.args[0]) as bigint, bound(step.args[1]), dtype === 'bool');
  } else if (op === 'multinomial') {
    const [rows, categories, samples] = step.args as number[];
    const weights = new ARRAYS[dtype as 'float32' | 'float64'](rows * categories).map((_, i) => ((i * 37) % 23) + 1);
    const picks = new BigInt64Array(n);
    multinomial(generator, weights, categories, samples, step.args[3] as boolean, picks);
    return picks;
  } else throw new Error(`no such operation: ${op}`);
  return out;
}

// Only these go through double-precision functions whose last place depends on the maths library.
const INEXACT = new Set(['randn', 'normal_', 'normalSerial_', 'logNormal_', 'exponential_', 'cauchy_']);

function compare(step: Step, actual: AnyOut, label: string): void {
  const wanted = expected(step);
  expect(actual.length, label).toBe(wanted.length);
  if (!INEXACT.has(step.op) || step.dtype === 'float32') {
    if (!sameBytes(rawBytes(actual), rawBytes(wanted))) {
      expect(actual, label).toEqual(wanted);
      expect.fail(`${label}: bytes differ`);
    }
    return;
  }
  for (let i = 0; i < wanted.length; i++) {
    const gap = Math.abs(Number(actual[i]) - Number(wanted[i]));
    expect(gap, `${label}[${i}]`).toBeLessThanOrEqual(4 * 2 ** -52 * Math.max(1, Math.abs(Number(wanted[i]))));
  }
}

describe('fills', () => {
  const ops = [...new Set(golden.cases.map((c) => c.op))];
  test.each(ops)('%s', (op) => {
    for (const step of golden.cases.filter((c) => c.op === op)) {
      const generator = new Generator(BigInt(step.seed));
      const label = `${op}(${step.args}) ${step.dtype}[${step.n}] seed ${step.seed}`;
      compare(step, run(generator, step), label);
      expect(String(seedFromRandom64(generator)), `${label}: next draw`).toBe(step.after);
      if (step.initial !== undefined) expect(String(new Generator(BigInt(step.seed)).initialSeed())).toBe(step.initial);
    }
  });
});

describe('long fills', () => {
  test.each(golden.digests.map((step) => [`${step.op}(${step.args}) ${step.dtype}[${step.n}]`, step] as const))(
    '%s',
    async (_, step) => {
      const generator = new Generator(step.seed);
      const out = run(generator, step);
      expect(await sha256(rawBytes(out))).toBe(step.data);
      expect(String(seedFromRandom64(generator))).toBe(step.after);
    },
  );
});

describe('state', () => {
  const { seed, start, steps } = golden.sequence;

  test('mixed calls give the same values and the same state bytes', () => {
    const generator = new Generator(seed);
    expect(generator.getState()).toEqual(bytesOf(start));
    for (const [i, step] of steps.entries()) {
      compare(step, run(generator, step), `step ${i}: ${step.op}`);
      const state = generator.getState();
      const wanted = bytesOf(step.state);
      // The cached normal sample may differ in its last place; the rest is whole numbers.
      const sample = new DataView(state.buffer).getFloat64(5024, true);
      const wantedSample = new DataView(wanted.buffer).getFloat64(5024, true);
      expect(Math.abs(sample - wantedSample)).toBeLessThanOrEqual(4 * 2 ** -52 * Math.max(1, Math.abs(wantedSample)));
      expect(state.fill(0, 5024, 5032), `state after step ${i}: ${step.op}`).toEqual(wanted.fill(0, 5024, 5032));
    }
  });

  test('every state of PyTorch continues as there', () => {
    let state = bytesOf(start);
    for (const [i, step] of steps.entries()) {
      const generator = new Generator().setState(state);
      expect(generator.getState()).toEqual(state);
      expect(generator.initialSeed()).toBe(BigInt(seed));
      compare(step, run(generator, step), `step ${i}: ${step.op}`);
      state = bytesOf(step.state);
    }
  });

  test('a clone continues alike and apart', () => {
    const generator = new Generator(5);
    normal_(generator, new Float64Array(3));
    const clone = generator.cloneState();
    const step: Step = { op: 'randn', dtype: 'float64', n: 7, args: [], data: '' };
    const first = run(generator, step);
    expect(run(clone, step)).toEqual(first);
    expect(clone.getState()).toEqual(generator.getState());
  });

  test('states that no generator saves are refused', () => {
    const generator = new Generator(1);
    const before = generator.getState();
    expect(() => generator.setState(new Uint8Array(50))).toThrow(
      'Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 50',
    );
    expect(() => generator.setState(new Uint8Array(5056))).toThrow('Invalid mt19937 state');
    const outside = before.slice();
    new DataView(outside.buffer).setInt32(8, 624, true);
    new DataView(outside.buffer).setUint32(16, 2, true);
    expect(() => generator.setState(outside)).toThrow('Invalid mt19937 state');
    expect(generator.getState()).toEqual(before);
  });
});

describe('seeds', () => {
  test('an unseeded generator has the default seed, the shared one a random seed', () => {
    expect(new Generator().initialSeed()).toBe(DEFAULT_SEED);
    expect(defaultGenerator()).toBe(defaultGenerator());
    expect(defaultGenerator().initialSeed()).not.toBe(DEFAULT_SEED);
  });

  test('seed() picks a new one and reports it', () => {
    const generator = new Generator();
    const seed = generator.seed();
    expect(generator.initialSeed()).toBe(seed);
    expect(generator.seed()).not.toBe(seed);
  });

  test('seeds outside 64 bits and fractions are refused', () => {
    expect(() => new Generator(1n << 64n)).toThrow('Overflow when unpacking long long');
    expect(() => new Generator(-(1n << 63n) - 1n)).toThrow('Overflow when unpacking long long');
    expect(() => new Generator(1.5)).toThrow('expected an integer');
  });

  test('seeding drops the cached normal sample', () => {
    const generator = new Generator(9);
    normal_(generator, new Float32Array(1));
    expect(generator.nextDoubleNormalSample).toBeDefined();
    expect(generator.manualSeed(9)).toBe(generator);
    expect(generator.getState()).toEqual(new Generator(9).getState());
  });

  test('fill32 and skip32 follow random32 across blocks', () => {
    const one = new Generator(3);
    const many = new Generator(3);
    for (const count of [1, 623, 1, 624, 0, 700, 1300]) {
      const words = new Uint32Array(count);
      many.fill32(words);
      expect(words).toEqual(Uint32Array.from({ length: count }, () => one.random32()));
    }
    many.skip32(1000);
    for (let i = 0; i < 500; i++) one.random64();
    expect(many.random64()).toBe(one.random64());
    expect(many.getState()).toEqual(one.getState());
  });
});

describe('known answers of seed 42', () => {
  const { known } = golden;
  const generator = (): Generator => new Generator(42);

  test.each([
    ['rand', 5],
    ['randn', 5],
    ['randnLong', 20],
  ] as const)('%s', (name, n) => {
    const out = new Float32Array(n);
    if (name === 'rand') uniform_(generator(), out);
    else normal_(generator(), out);
    expect(Array.from(out)).toEqual(known[name]);
  });

  test('randperm, randint and bernoulli_', () => {
    const order = new BigInt64Array(10);
    randperm(generator(), order);
    expect(Array.from(order, Number)).toEqual(known.randperm);
    const integers = new BigInt64Array(8);
    randomFromTo_(generator(), integers, 0, 10);
    expect(Array.from(integers, Number)).toEqual(known.randint);
    const flips = new Float32Array(12);
    bernoulli_(generator(), flips, 0.5);
    expect(Array.from(flips)).toEqual(known.bernoulli);
  });

  test('the seeds of a shuffling data loader', () => {
    const shared = generator();
    expect(golden.loader.seeds.map(() => String(seedFromRandom64(shared)))).toEqual(golden.loader.seeds);
    const again = generator();
    for (const epoch of golden.loader.epochs) {
      seedFromRandom64(again);
      const order = new BigInt64Array(10);
      randperm(new Generator(seedFromRandom64(again)), order);
      const flat = Array.from(order, Number);
      expect([flat.slice(0, 4), flat.slice(4, 8), flat.slice(8)]).toEqual(epoch);
    }
  });
});

describe('distributions keep their bounds', () => {
  const refused: [string, (generator: Generator) => void][] = [
    ['uniform_ expects to return a [from, to) range', (g) => uniform_(g, new Float32Array(3), 3, 1)],
    ['to is out of bounds for float', (g) => uniform_(g, new Float32Array(3), 0, 1e39)],
    ['uniform_ expects to-from <=', (g) => uniform_(g, new Float32Array(3), -3e38, 3e38)],
    ['normal expects std >= 0.0, but found std -1', (g) => normal_(g, new Float32Array(3), 0, -1)],
    ['log_normal_ expects std > 0.0, but found std=0', (g) => logNormal_(g, new Float32Array(3), 0, 0)],
    ['exponential_ expects lambda > 0.0, but found lambda=-1', (g) => exponential_(g, new Float32Array(3), -1)],
    ['cauchy_ expects sigma > 0.0, but found sigma=0', (g) => cauchy_(g, new Float32Array(3), 0, 0)],
    ['geometric_ expects p to be in (0, 1), but got p=1', (g) => geometric_(g, new Float32Array(3), 1)],
    ['bernoulli_ expects p to be in [0, 1], but got p=1.5', (g) => bernoulli_(g, new Float32Array(3), 1.5)],
    ['Expected p_in >= 0', (g) => bernoulliTensor_(g, new Uint8Array(1), Float32Array.of(Number.NaN))],
    ["expects 'from' to be less than 'to', but got from=5 >= to=3", (g) => randomFromTo_(g, new Int32Array(1), 5, 3)],
    ['to - 1 is out of bounds for unsigned char', (g) => randomFromTo_(g, new Uint8Array(1), 0, 300)],
    ['from is out of bounds for unsigned char', (g) => randomFromTo_(g, new Uint8Array(1), -1, 3)],
    ['to - 1 is out of bounds for bool', (g) => randomFromTo_(g, new Uint8Array(1), 0, 3, true)],
    ['to - 1 is out of bounds for int', (g) => randomFromTo_(g, new Int32Array(1), 0, 2 ** 40)],
    ['from=33554436 >= to=33554434', (g) => randomFromTo_(g, new Float32Array(1), 2 ** 25 + 1, 2 ** 25 + 2)],
    [
      'random_full_64_bits_range_kernel_cpu handles only',
      (g) => randomFromTo_(g, new Int32Array(1), -(1n << 63n), null),
    ],
    ['value cannot be converted to type uint8_t', (g) => randperm(g, new Uint8Array(300))],
  ];
  test.each(refused)('%s', (message, call) => {
    const generator = new Generator(1);
    expect(() => call(generator)).toThrow(message);
    expect(generator.getState()).toEqual(new Generator(1).getState());
  });

  test.each([
    ['cannot sample n_sample <= 0 samples', [1, 1], 0, false],
    ['cannot sample n_sample > prob_dist.size(-1) samples without replacement', [1, 1], 3, false],
    ['invalid multinomial distribution (sum of probabilities <= 0)', [0, 0], 1, false],
    ['invalid multinomial distribution (sum of probabilities <= 0)', [0, 0], 2, true],
    ['probability tensor contains either `inf`, `nan` or element < 0', [-1, 1], 1, false],
    ['probability tensor contains either `inf`, `nan` or element < 0', [Number.NaN, 1], 1, true],
    ['invalid multinomial distribution (encountering probability entry < 0)', [-1, 1], 2, true],
    ['(encountering probability entry = infinity or NaN)', [Number.POSITIVE_INFINITY, 1], 2, true],
  ] as const)('%s %#', (message, weights, samples, replacement) => {
    const out = new BigInt64Array(samples);
    const call = () => multinomial(new Generator(1), Float32Array.from(weights), 2, samples, replacement, out);
    expect(call).toThrow(message);
  });

  test('multinomial without replacement takes entries of probability zero last', () => {
    const out = new BigInt64Array(2);
    multinomial(new Generator(1), Float32Array.of(0, 1), 2, 2, false, out);
    expect(out).toEqual(BigInt64Array.of(1n, 0n));
  });
});
