import type { Generator } from './generator.js';
import { type AnyOut, check, type FloatOut, int64Writer, type NumberOut } from './random-integers.js';

export { random_, randomFromTo_, randperm, seedFromRandom64 } from './random-integers.js';
export type { AnyOut, FloatOut, NumberOut };

const CHUNK = 8192;
const words = new Uint32Array(CHUNK);
const uniforms = new Float64Array(CHUNK / 2);
const TWO_32 = 4294967296;
const INV_TWO_24 = 2 ** -24;
const INV_TWO_53 = 2 ** -53;
const FLOAT_MAX = 3.4028234663852886e38;
const fround = Math.fround;

// ---- Fused multiply-add: PyTorch's kernels are compiled to round a*b+c once, and so must these. ----

/** `a * b + c` for float32 operands, rounded once. */
function fma32(a: number, b: number, c: number): number {
  const sum = a * b + c;
  const near = fround(sum);
  const gap = sum - near;
  const other = near + (gap + gap);
  return gap !== 0 && fround(other) === other ? untie32(a * b, c, sum, near, gap) : near;
}

// `sum` lies halfway between two floats: the part of the sum that a double lost decides.
function untie32(product: number, c: number, sum: number, near: number, gap: number): number {
  const part = sum - product;
  const lost = product - (sum - part) + (c - part);
  return lost !== 0 && lost > 0 === gap > 0 ? near + (gap + gap) : near;
}

const SPLIT = 134217729;
const bits64 = new Float64Array(1);
const bits32 = new Uint32Array(bits64.buffer);

/** `a * b + c` for doubles, rounded once (Boldo and Melquiond's method: the low parts are added rounding to odd). */
function fma64(a: number, b: number, c: number): number {
  const p = a * b;
  if (c === 0 || !Number.isFinite(p) || Math.abs(a) > 1e290 || Math.abs(b) > 1e290) return p + c;
  let t = SPLIT * a;
  const ah = t - (t - a);
  const al = a - ah;
  t = SPLIT * b;
  const bh = t - (t - b);
  const bl = b - bh;
  const pl = al * bl - (p - ah * bh - al * bh - ah * bl);
  const th = c + pl;
  t = th - c;
  const tl = c - (th - t) + (pl - t);
  const vh = p + th;
  t = vh - p;
  const vl = p - (vh - t) + (th - t);
  return vh + addToOdd(tl, vl);
}

function addToOdd(a: number, b: number): number {
  const sum = a + b;
  const t = sum - a;
  const lost = a - (sum - t) + (b - t);
  if (lost === 0) return sum;
  bits64[0] = sum;
  if ((bits32[0] & 1) === 0) {
    if (lost > 0 === sum > 0) bits32[0] |= 1;
    else {
      if (bits32[0] === 0) bits32[1] -= 1;
      bits32[0] -= 1;
    }
  }
  return bits64[0];
}

// ---- Streams ----

/** Fills `uniforms` with the next `count` doubles in [0, 1), of 53 bits each. */
function fillUniforms(generator: Generator, count: number): void {
  generator.fill32(words, 2 * count);
  for (let i = 0; i < count; i++) {
    uniforms[i] = ((words[2 * i] & 0x1fffff) * TWO_32 + words[2 * i + 1]) * INV_TWO_53;
  }
}

function nextUniform(generator: Generator): number {
  const high = generator.random32() & 0x1fffff;
  return (high * TWO_32 + generator.random32()) * INV_TWO_53;
}

// ---- Uniform ----

export function uniform_(generator: Generator, out: FloatOut, from = 0, to = 1): void {
  const isFloat = out instanceof Float32Array;
  const limit = isFloat ? FLOAT_MAX : Number.MAX_VALUE;
  const dtype = isFloat ? 'float' : 'double';
  check(Math.abs(from) <= limit, `from is out of bounds for ${dtype}`);
  check(Math.abs(to) <= limit, `to is out of bounds for ${dtype}`);
  check(from <= to, `uniform_ expects to return a [from, to) range, but found from=${from} > to=${to}`);
  check(
    to - from <= limit,
    `uniform_ expects to-from <= std::numeric_limits<${isFloat ? 'Float' : 'Double'}>::max(), but found to=${to} and from=${from} which result in to-from to exceed the limit`,
  );
  if (isFloat) uniformFloat(generator, out, fround(from), fround(to));
  else uniformDouble(generator, out, from, to);
}

function uniformFloat(generator: Generator, out: Float32Array, from: number, to: number): void {
  const range = fround(to - from);
  for (let start = 0; start < out.length; start += CHUNK) {
    const count = Math.min(CHUNK, out.length - start);
    generator.fill32(words, count);
    if (from === 0 && to === 1) {
      for (let i = 0; i < count; i++) out[start + i] = (words[i] & 0xffffff) * INV_TWO_24;
    } else {
      for (let i = 0; i < count; i++) {
        const value = fma32((words[i] & 0xffffff) * INV_TWO_24, range, from);
        out[start + i] = value === to ? from : value;
      }
    }
  }
}

function uniformDouble(generator: Generator, out: Float64Array, from: number, to: number): void {
  const range = to - from;
  for (let start = 0; start < out.length; start += CHUNK / 2) {
    const count = Math.min(CHUNK / 2, out.length - start);
    fillUniforms(generator, count);
    for (let i = 0; i < count; i++) {
      const value = fma64(uniforms[i], range, from);
      out[start + i] = value === to ? from : value;
    }
  }
}

// ---- Normal ----

/** Contiguous tensors: 16 or more elements take the blocked path, fewer the one with the cached sample. */
export function normal_(generator: Generator, out: FloatOut, mean = 0, std = 1): void {
  check(std >= 0, `normal expects std >= 0.0, but found std ${std}`);
  if (out.length < 16) normalSerial_(generator, out, mean, std);
  else if (out instanceof Float32Array) normalBlocksFloat(generator, out, fround(mean), fround(std));
  else normalBlocksDouble(generator, out, mean, std);
}

/** The one-by-one path, which PyTorch also takes for tensors of any size that are not contiguous. */
export function normalSerial_(generator: Generator, out: FloatOut, mean = 0, std = 1): void {
  check(std >= 0, `normal expects std >= 0.0, but found std ${std}`);
  for (let i = 0; i < out.length; i++) out[i] = nextNormal(generator, mean, std);
}

function nextNormal(generator: Generator, mean: number, std: number): number {
  const cached = generator.nextDoubleNormalSample;
  if (cached !== undefined) {
    generator.nextDoubleNormalSample = undefined;
    return fma64(cached, std, mean);
  }
  const u1 = nextUniform(generator);
  const u2 = nextUniform(generator);
  const radius = Math.sqrt(-2 * Math.log1p(-u2));
  const theta = 2 * Math.PI * u1;
  generator.nextDoubleNormalSample = radius * Math.sin(theta);
  return fma64(radius * Math.cos(theta), std, mean);
}

function normalBlocksDouble(generator: Generator, out: Float64Array, mean: number, std: number): void {
  const blocks = Math.floor(out.length / 16);
  const rest = out.length % 16;
  for (let block = 0; block < blocks; block++) normalBlockDouble(generator, out, 16 * block, mean, std);
  if (rest !== 0) {
    generator.skip32(2 * rest);
    normalBlockDouble(generator, out, out.length - 16, mean, std);
  }
}

function normalBlockDouble(generator: Generator, out: Float64Array, at: number, mean: number, std: number): void {
  fillUniforms(generator, 16);
  for (let j = 0; j < 8; j++) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniforms[j]));
    const theta = 2 * Math.PI * uniforms[j + 8];
    out[at + j] = fma64(radius * Math.cos(theta), std, mean);
    out[at + j + 8] = fma64(radius * Math.sin(theta), std, mean);
  }
}

function normalBlocksFloat(generator: Generator, out: Float32Array, mean: number, std: number): void {
  const rest = out.length % 16;
  const full = out.length - rest;
  for (let start = 0; start < full; start += CHUNK) {
    const count = Math.min(CHUNK, full - start);
    generator.fill32(words, count);
    for (let at = 0; at < count; at += 16) normalBlockFloat(out, start + at, at, mean, std);
  }
  if (rest !== 0) {
    // PyTorch fills the tail, then draws the last 16 values anew over it.
    generator.skip32(rest);
    generator.fill32(words, 16);
    normalBlockFloat(out, out.length - 16, 0, mean, std);
  }
}

const TWO_PI_F = fround(2 * Math.PI);
const FOUR_OVER_PI = fround(1.27323954473516);
const SQRT_HALF = fround(Math.SQRT1_2);
const LOG_P0 = fround(7.0376836292e-2);
const LOG_P1 = fround(-1.151461031e-1);
const LOG_P2 = fround(1.167699874e-1);
const LOG_P3 = fround(-1.2420140846e-1);
const LOG_P4 = fround(1.4249322787e-1);
const LOG_P5 = fround(-1.6668057665e-1);
const LOG_P6 = fround(2.0000714765e-1);
const LOG_P7 = fround(-2.4999993993e-1);
const LOG_P8 = fround(3.3333331174e-1);
const LOG_Q1 = fround(-2.1219444e-4);
const LOG_Q2 = fround(0.693359375);
const DP1 = fround(-0.78515625);
const DP2 = fround(-2.4187564849853516e-4);
const DP3 = fround(-3.774894977445941e-8);
const SIN_P0 = fround(-1.9515295891e-4);
const SIN_P1 = fround(8.3321608736e-3);
const SIN_P2 = fround(-1.6666654611e-1);
const COS_P0 = fround(2.443315711809948e-5);
const COS_P1 = fround(-1.388731625493765e-3);
const COS_P2 = fround(4.166664568298827e-2);
const HALVINGS = Float64Array.from({ length: 26 }, (_, n) => 2 ** -n);

// In the two functions below fround(a * b + c) stands for the fused operation, inline for speed: on these operands the
// double-precision sum is nearly always exact, and where it is not it decides a float's rounding once in 2^29.

/** Cephes' logf of `n / 2^24`, n in [1, 2^24], step by step in float32. */
function logFloat(n: number): number {
  const length = 32 - Math.clz32(n);
  let e = length - 24;
  let x = n * HALVINGS[length];
  if (x < SQRT_HALF) {
    e -= 1;
    x = x - 1 + x;
  } else x -= 1;
  const z = fround(x * x);
  let y = fround(LOG_P0 * x + LOG_P1);
  y = fround(y * x + LOG_P2);
  y = fround(y * x + LOG_P3);
  y = fround(y * x + LOG_P4);
  y = fround(y * x + LOG_P5);
  y = fround(y * x + LOG_P6);
  y = fround(y * x + LOG_P7);
  y = fround(y * x + LOG_P8);
  y = fround(y * x);
  y = fround(y * z + fround(e * LOG_Q1));
  y = fround(y - 0.5 * z);
  return fround(e * LOG_Q2 + fround(x + y));
}

/** Box-Muller on the 16 words from `words[source]` with the float32 polynomials of PyTorch's vector kernels. */
function normalBlockFloat(out: Float32Array, at: number, source: number, mean: number, std: number): void {
  for (let j = 0; j < 8; j++) {
    const log = logFloat(0x1000000 - (words[source + j] & 0xffffff));
    const radius = fround(Math.sqrt(-2 * log));
    const theta = fround((words[source + j + 8] & 0xffffff) * INV_TWO_24 * TWO_PI_F);
    const octant = (Math.trunc(fround(theta * FOUR_OVER_PI)) + 1) & ~1;
    const x = fround(octant * DP3 + fround(octant * DP2 + fround(octant * DP1 + theta)));
    const z = fround(x * x);
    let c = fround(fround(COS_P0 * z + COS_P1) * z + COS_P2);
    c = fround(c * z);
    c = fround(fround(c * z - 0.5 * z) + 1);
    let s = fround(fround(SIN_P0 * z + SIN_P1) * z + SIN_P2);
    s = fround(fround(s * z) * x + x);
    const swap = (octant & 2) !== 0;
    const sine = (octant & 4) !== 0 ? -(swap ? c : s) : swap ? c : s;
    const cosine = ((octant - 2) & 4) === 0 ? -(swap ? s : c) : swap ? s : c;
    out[at + j] = fma32(fround(radius * cosine), std, mean);
    out[at + j + 8] = fma32(fround(radius * sine), std, mean);
  }
}

/** exp of normal samples, one by one at every size. */
export function logNormal_(generator: Generator, out: FloatOut, mean = 1, std = 2): void {
  check(std > 0, `log_normal_ expects std > 0.0, but found std=${std}`);
  for (let i = 0; i < out.length; i++) out[i] = Math.exp(nextNormal(generator, mean, std));
}

// ---- Other continuous distributions ----

export function exponential_(generator: Generator, out: FloatOut, lambda = 1): void {
  check(lambda > 0, `exponential_ expects lambda > 0.0, but found lambda=${lambda}`);
  const scale = -1 / lambda;
  for (let start = 0; start < out.length; start += CHUNK / 2) {
    const count = Math.min(CHUNK / 2, out.length - start);
    fillUniforms(generator, count);
    for (let i = 0; i < count; i++) out[start + i] = scale * Math.log1p(-uniforms[i]);
  }
}

export function cauchy_(generator: Generator, out: FloatOut, median = 0, sigma = 1): void {
  check(sigma > 0, `cauchy_ expects sigma > 0.0, but found sigma=${sigma}`);
  for (let start = 0; start < out.length; start += CHUNK / 2) {
    const count = Math.min(CHUNK / 2, out.length - start);
    fillUniforms(generator, count);
    for (let i = 0; i < count; i++) out[start + i] = fma64(sigma, Math.tan(Math.PI * (uniforms[i] - 0.5)), median);
  }
}

// ---- Discrete distributions ----

export function geometric_(generator: Generator, out: AnyOut, p: number): void {
  check(p > 0 && p < 1, `geometric_ expects p to be in (0, 1), but got p=${p}`);
  const scale = Math.log1p(-p);
  const write = out instanceof BigInt64Array ? int64Writer(out) : undefined;
  for (let start = 0; start < out.length; start += CHUNK / 2) {
    const count = Math.min(CHUNK / 2, out.length - start);
    fillUniforms(generator, count);
    for (let i = 0; i < count; i++) {
      const value = Math.ceil(Math.log(uniforms[i]) / scale);
      if (write !== undefined) write(start + i, value);
      else (out as NumberOut)[start + i] = value;
    }
  }
}

/** One probability for all elements: each takes 64 random bits, whatever the dtype of `out`. */
export function bernoulli_(generator: Generator, out: AnyOut, p = 0.5): void {
  check(p >= 0 && p <= 1, `bernoulli_ expects p to be in [0, 1], but got p=${p}`);
  for (let start = 0; start < out.length; start += CHUNK / 2) {
    const count = Math.min(CHUNK / 2, out.length - start);
    fillUniforms(generator, count);
    if (out instanceof BigInt64Array) {
      for (let i = 0; i < count; i++) out[start + i] = uniforms[i] < p ? 1n : 0n;
    } else {
      for (let i = 0; i < count; i++) out[start + i] = uniforms[i] < p ? 1 : 0;
    }
  }
}

/** A probability per element: float32 ones take 32 random bits each, float64 ones 64. */
export function bernoulliTensor_(generator: Generator, out: AnyOut, p: FloatOut): void {
  check(p.length === out.length, `bernoulliTensor_ expects ${out.length} probabilities, but got ${p.length}`);
  check(
    p.every((value: number) => value >= 0 && value <= 1),
    'Expected p_in >= 0 && p_in <= 1 to be true, but got false.',
  );
  const single = p instanceof Float32Array;
  for (let start = 0; start < out.length; start += CHUNK / 2) {
    const count = Math.min(CHUNK / 2, out.length - start);
    if (single) {
      generator.fill32(words, count);
      for (let i = 0; i < count; i++) uniforms[i] = (words[i] & 0xffffff) * INV_TWO_24;
    } else fillUniforms(generator, count);
    if (out instanceof BigInt64Array) {
      for (let i = 0; i < count; i++) out[start + i] = uniforms[i] < p[start + i] ? 1n : 0n;
    } else {
      for (let i = 0; i < count; i++) out[start + i] = uniforms[i] < p[start + i] ? 1 : 0;
    }
  }
}

/**
 * Draws `samples` categories for each row of `probabilities` (rows of `categories` entries) into `out`.
 * Without replacement, and for single draws, the largest p / Exponential(1) win; else the cumulative sums are searched.
 */
export function multinomial(
  generator: Generator,
  probabilities: FloatOut,
  categories: number,
  samples: number,
  replacement: boolean,
  out: BigInt64Array,
): void {
  check(samples > 0, 'cannot sample n_sample <= 0 samples');
  check(
    replacement || samples <= categories,
    'cannot sample n_sample > prob_dist.size(-1) samples without replacement',
  );
  check(categories <= 0x1000000, 'number of categories cannot exceed 2^24');
  if (out.length === 0) return;
  if (replacement && samples > 1) multinomialSearch(generator, probabilities, categories, samples, out);
  else multinomialRace(generator, probabilities, categories, samples, out);
}

function multinomialRace(
  generator: Generator,
  probabilities: FloatOut,
  categories: number,
  samples: number,
  out: BigInt64Array,
): void {
  const keys = probabilities.slice();
  check(
    keys.every((p: number) => p >= 0 && p < Number.POSITIVE_INFINITY),
    'probability tensor contains either `inf`, `nan` or element < 0',
  );
  const rows = out.length / samples;
  for (let row = 0; row < rows; row++) {
    const own = probabilities.subarray(row * categories, (row + 1) * categories);
    check(
      own.some((p: number) => p > 0),
      'invalid multinomial distribution (sum of probabilities <= 0)',
    );
  }
  exponential_(generator, keys);
  for (let i = 0; i < keys.length; i++) keys[i] = probabilities[i] / keys[i];
  for (let row = 0; row < rows; row++) {
    const own = keys.subarray(row * categories, (row + 1) * categories);
    if (samples === 1) {
      let best = 0;
      for (let i = 1; i < categories; i++) if (own[i] > own[best]) best = i;
      out[row] = BigInt(best);
    } else {
      const order = Uint32Array.from(own.keys()).sort((a, b) => own[b] - own[a] || a - b);
      for (let i = 0; i < samples; i++) out[row * samples + i] = BigInt(order[i]);
    }
  }
}

function multinomialSearch(
  generator: Generator,
  probabilities: FloatOut,
  categories: number,
  samples: number,
  out: BigInt64Array,
): void {
  // The sums are kept in the probabilities' own precision, as the draws depend on how they round.
  const sums = probabilities.slice(0, categories);
  const rows = out.length / samples;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < categories; i++) {
      const p = probabilities[row * categories + i];
      check(p >= 0, 'invalid multinomial distribution (encountering probability entry < 0)');
      check(
        p < Number.POSITIVE_INFINITY,
        'invalid multinomial distribution (encountering probability entry = infinity or NaN)',
      );
      sums[i] = sum + p;
      sum = sums[i];
    }
    check(sum > 0, 'invalid multinomial distribution (sum of probabilities <= 0)');
    for (let i = 0; i < categories; i++) sums[i] /= sum;
    sums[categories - 1] = 1;
    for (let i = 0; i < samples; i++) {
      const sample = nextUniform(generator);
      let left = 0;
      let right = categories;
      while (left < right) {
        const middle = (left + right) >>> 1;
        if (sums[middle] < sample) left = middle + 1;
        else right = middle;
      }
      out[row * samples + i] = BigInt(left);
    }
  }
}
