import type { Generator } from './generator.js';

export type FloatOut = Float32Array | Float64Array;
export type NumberOut = FloatOut | Int32Array | Uint8Array;
/** The dtypes' arrays; a Uint8Array may also hold booleans, which the functions here are told by `isBool`. */
export type AnyOut = NumberOut | BigInt64Array;

const CHUNK = 8192;
const TWO_32 = 4294967296;
const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;
// Below this range one 32-bit number is taken per element, from it on a 64-bit one.
const WIDE_RANGE = 1n << 28n;
// Number arithmetic covers ranges to 2^37 from bases to 2^52; the rest goes by bigint.
const NUMBER_RANGE = 1n << 37n;
const NUMBER_BASE = 1n << 52n;
// From this length on shuffling takes 64-bit numbers.
const LONG_PERMUTATION = 214748364;

const words = new Uint32Array(CHUNK);

export function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** Stores whole numbers, held in doubles, as int64. */
export function int64Writer(out: BigInt64Array): (index: number, value: number) => void {
  const halves = new Int32Array(out.buffer, out.byteOffset, 2 * out.length);
  return (index, value) => {
    halves[2 * index] = value;
    halves[2 * index + 1] = Math.floor(value / TWO_32);
  };
}

/** `(high * 2^32 + low) % m` for m up to 2^37. */
function mod64(high: number, low: number, m: number): number {
  const upper = ((high % m) * 65536 + (low >>> 16)) % m;
  return (upper * 65536 + (low & 0xffff)) % m;
}

/** The float32 nearest to an int64; by way of a double it would be rounded twice. */
function toFloat32(value: bigint): number {
  if (value > -NUMBER_BASE && value < NUMBER_BASE) return Math.fround(Number(value));
  const high = value >> 16n;
  return Math.fround(Number((value & 0xffffn) === 0n ? high : high | 1n) * 65536);
}

interface Range {
  name: string;
  min: bigint;
  max: bigint;
  /** Bits of a float's significand; 0 for the integer dtypes. */
  digits: number;
}

const DOUBLE_RANGE = { min: INT64_MIN, max: INT64_MAX };

function rangeOf(out: AnyOut, isBool: boolean): Range {
  if (out instanceof Float32Array) return { name: 'float', ...DOUBLE_RANGE, digits: 24 };
  if (out instanceof Float64Array) return { name: 'double', ...DOUBLE_RANGE, digits: 53 };
  if (out instanceof BigInt64Array) return { name: 'long', ...DOUBLE_RANGE, digits: 0 };
  if (out instanceof Int32Array) return { name: 'int', min: -(1n << 31n), max: (1n << 31n) - 1n, digits: 0 };
  return isBool
    ? { name: 'bool', min: 0n, max: 1n, digits: 0 }
    : { name: 'unsigned char', min: 0n, max: 255n, digits: 0 };
}

/** Uniform over the dtype's non-negative range: to its maximum, or to 2^24 and 2^53 for floats. */
export function random_(generator: Generator, out: AnyOut, isBool = false): void {
  if (out instanceof BigInt64Array || out instanceof Float64Array) {
    random64_(generator, out);
    return;
  }
  for (let start = 0; start < out.length; start += CHUNK) {
    const count = Math.min(CHUNK, out.length - start);
    generator.fill32(words, count);
    if (out instanceof Float32Array) for (let i = 0; i < count; i++) out[start + i] = words[i] % 0x1000001;
    else {
      const mask = out instanceof Int32Array ? 0x7fffffff : isBool ? 1 : 0xff;
      for (let i = 0; i < count; i++) out[start + i] = words[i] & mask;
    }
  }
}

function random64_(generator: Generator, out: BigInt64Array | Float64Array): void {
  const halves = out instanceof BigInt64Array ? new Int32Array(out.buffer, out.byteOffset, 2 * out.length) : undefined;
  for (let start = 0; start < out.length; start += CHUNK / 2) {
    const count = Math.min(CHUNK / 2, out.length - start);
    generator.fill32(words, 2 * count);
    for (let i = 0; i < count; i++) {
      if (halves !== undefined) {
        halves[2 * (start + i)] = words[2 * i + 1];
        halves[2 * (start + i) + 1] = words[2 * i] & 0x7fffffff;
      } else out[start + i] = modDouble(words[2 * i], words[2 * i + 1]);
    }
  }
}

/** `(high * 2^32 + low) % (2^53 + 1)`: a multiple q * 2^53 leaves -q, so the low 53 bits less the high 11. */
function modDouble(high: number, low: number): number {
  const rest = (high & 0x1fffff) * TWO_32 + low - (high >>> 21);
  return rest < 0 ? rest + 2 ** 53 + 1 : rest;
}

/**
 * Uniform over [from, to), in PyTorch both `random_(from, to)` and `randint`; a null `to` ends at the dtype's maximum
 * (2^24 and 2^53 for floats), and with `from` at int64's minimum covers all of int64.
 */
export function randomFromTo_(
  generator: Generator,
  out: AnyOut,
  from: number | bigint,
  to: number | bigint | null,
  isBool = false,
): void {
  const { name, min, max, digits } = rangeOf(out, isBool);
  let base = BigInt(from);
  if (to === null && base === INT64_MIN) {
    check(min === INT64_MIN, 'random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16');
    fillWide(generator, out, 0n, 1n << 64n);
    return;
  }
  let last: bigint;
  if (to === null) {
    last = digits === 0 ? max : 1n << BigInt(digits);
    if (digits !== 0) {
      base = representableFrom(base, digits);
      check(
        base < last,
        `random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, but got from=${base} > to_inc=${last}`,
      );
    }
  } else {
    let end = BigInt(to);
    check(base < end, `random_ expects 'from' to be less than 'to', but got from=${base} >= to=${end}`);
    if (digits !== 0) {
      base = representableFrom(base, digits);
      end = representableTo(end, digits);
      check(
        base < end,
        `random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from=${base} >= to=${end}`,
      );
    }
    last = end - 1n;
  }
  check(base >= min && base <= max, `from is out of bounds for ${name}`);
  check(last >= min && last <= max, `to - 1 is out of bounds for ${name}`);
  const range = last - base + 1n;
  const small = base > -NUMBER_BASE && base < NUMBER_BASE && range <= NUMBER_RANGE;
  if (small) fillNumbers(generator, out, Number(base), Number(range), range >= WIDE_RANGE);
  else fillWide(generator, out, base, range);
}

function nearest(value: bigint, digits: number): bigint {
  return BigInt(digits === 24 ? toFloat32(value) : Number(value));
}

/** Moves `from` up to a value of the float dtype when the one after it would round to below it. */
function representableFrom(from: bigint, digits: number): bigint {
  const rounded = nearest(from + 1n, digits);
  return rounded < from ? rounded + unitAt(from + 1n, digits) : from;
}

/** Moves `to` down to a value of the float dtype when the one before it would round up to it. */
function representableTo(to: bigint, digits: number): bigint {
  const rounded = nearest(to - 1n, digits);
  return rounded >= to ? rounded - unitAt(to - 1n, digits) : to;
}

function unitAt(value: bigint, digits: number): bigint {
  const magnitude = value < 0n ? -value : value;
  return 1n << BigInt(magnitude.toString(2).length - digits);
}

function fillNumbers(generator: Generator, out: AnyOut, base: number, range: number, wide: boolean): void {
  const write = out instanceof BigInt64Array ? int64Writer(out) : undefined;
  const step = wide ? 2 : 1;
  for (let start = 0; start < out.length; start += CHUNK / 2) {
    const count = Math.min(CHUNK / 2, out.length - start);
    generator.fill32(words, step * count);
    for (let i = 0; i < count; i++) {
      const value = base + (wide ? mod64(words[2 * i], words[2 * i + 1], range) : words[i] % range);
      if (write !== undefined) write(start + i, value);
      else (out as NumberOut)[start + i] = value;
    }
  }
}

function fillWide(generator: Generator, out: AnyOut, base: bigint, range: bigint): void {
  for (let i = 0; i < out.length; i++) {
    const random = range < WIDE_RANGE ? BigInt(generator.random32()) : generator.random64();
    const value = BigInt.asIntN(64, (random % range) + base);
    if (out instanceof BigInt64Array) out[i] = value;
    else if (out instanceof Float32Array) out[i] = toFloat32(value);
    else out[i] = Number(value);
  }
}

/** Fills `out` with a random order of 0 to its length - 1. */
export function randperm(generator: Generator, out: AnyOut): void {
  const n = out.length;
  if (out instanceof Uint8Array) check(n <= 256, 'value cannot be converted to type uint8_t without overflow');
  if (out instanceof Float32Array) check(n <= 0x1000001, 'n cannot be greater than 2^24+1 for Float type.');
  const order = out instanceof BigInt64Array ? new Int32Array(n) : out;
  if (n < LONG_PERMUTATION) shuffle(generator, order);
  else shuffleLong(generator, order);
  if (out instanceof BigInt64Array) {
    const halves = new Int32Array(out.buffer, out.byteOffset, 2 * n);
    for (let i = 0; i < n; i++) {
      halves[2 * i] = order[i];
      halves[2 * i + 1] = 0;
    }
  }
}

function shuffle(generator: Generator, order: NumberOut): void {
  const n = order.length;
  for (let i = 0; i < n; i++) order[i] = i;
  for (let start = 0; start < n - 1; start += CHUNK) {
    const count = Math.min(CHUNK, n - 1 - start);
    generator.fill32(words, count);
    for (let k = 0; k < count; k++) {
      const i = start + k;
      const j = i + (words[k] % (n - i));
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
  }
}

function shuffleLong(generator: Generator, order: NumberOut): void {
  const n = order.length;
  for (let start = 0; start < n; start += CHUNK / 2) {
    const count = Math.min(CHUNK / 2, n - start);
    generator.fill32(words, 2 * count);
    for (let k = 0; k < count; k++) {
      const i = start + k;
      const j = mod64(words[2 * k], words[2 * k + 1], i + 1);
      order[i] = i;
      order[i] = order[j];
      order[j] = i;
    }
  }
}

/**
 * A seed drawn as `torch.empty((), dtype=torch.int64).random_(generator=g).item()`. A data loader draws its base seed
 * so; then a shuffling sampler that was given no generator draws the seed of a new one, which makes its `randperm`.
 */
export function seedFromRandom64(generator: Generator): bigint {
  return generator.random64() & INT64_MAX;
}
