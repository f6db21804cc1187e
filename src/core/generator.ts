/** Seed of a `Generator` that nobody has seeded, as in PyTorch. */
export const DEFAULT_SEED = 67280421310721n;

const N = 624;
const M = 397;
const UINT64_MASK = 0xffffffffffffffffn;

// Byte offsets of PyTorch's CPUGeneratorImplState; its state words take eight bytes each.
const STATE_BYTES = 5056;
const AT_LEFT = 8;
const AT_SEEDED = 12;
const AT_NEXT = 16;
const AT_WORDS = 24;
const AT_DOUBLE_SAMPLE = 5024;
const AT_DOUBLE_VALID = 5040;
const AT_FLOAT_SAMPLE = 5048;
const AT_FLOAT_VALID = 5052;

interface CryptoLike {
  getRandomValues(words: Uint32Array<ArrayBuffer>): unknown;
}

function nondeterministicSeed(): bigint {
  const source = (globalThis as unknown as { crypto?: CryptoLike }).crypto;
  if (source === undefined) throw new Error('seeding needs globalThis.crypto.getRandomValues');
  const words = new Uint32Array(2);
  source.getRandomValues(words);
  return (BigInt(words[0]) << 32n) | BigInt(words[1]);
}

function toSeed(seed: number | bigint): bigint {
  if (typeof seed === 'number' && !Number.isInteger(seed)) {
    throw new TypeError(`manualSeed expected an integer, but got ${seed}`);
  }
  const value = BigInt(seed);
  if (value < -(1n << 63n) || value > UINT64_MASK) throw new RangeError('Overflow when unpacking long long');
  return value & UINT64_MASK;
}

/** The Mersenne Twister (MT19937) behind PyTorch's CPU random numbers: same seeds, same streams, same saved states. */
export class Generator {
  readonly device = 'cpu';
  /** Second half of the last Box-Muller pair, kept for the next normal sample. */
  nextFloatNormalSample: number | undefined;
  nextDoubleNormalSample: number | undefined;

  readonly #state = new Uint32Array(N);
  // The outputs of the whole block, made at once when the block is.
  readonly #output = new Uint32Array(N);
  #seed = 0n;
  #left = 1;
  #next = 0;

  constructor(seed: number | bigint = DEFAULT_SEED) {
    this.manualSeed(seed);
  }

  manualSeed(seed: number | bigint): this {
    this.#seed = toSeed(seed);
    const state = this.#state;
    let word = Number(this.#seed & 0xffffffffn);
    state[0] = word;
    for (let j = 1; j < N; j++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + j) >>> 0;
      state[j] = word;
    }
    this.#left = 1;
    this.#next = 0;
    this.nextFloatNormalSample = undefined;
    this.nextDoubleNormalSample = undefined;
    return this;
  }

  /** Seeds from the system's randomness and returns that seed. */
  seed(): bigint {
    this.manualSeed(nondeterministicSeed());
    return this.#seed;
  }

  initialSeed(): bigint {
    return this.#seed;
  }

  random32(): number {
    if (this.#left === 1) this.#nextBlock();
    else this.#left--;
    return this.#output[this.#next++];
  }

  random64(): bigint {
    const high = this.random32();
    const low = this.random32();
    return (BigInt(high) << 32n) | BigInt(low);
  }

  /** Writes the next `count` 32-bit numbers into `out` from its start. */
  fill32(out: Uint32Array, count: number = out.length): void {
    let done = 0;
    while (done < count) {
      if (this.#left === 1) {
        this.#nextBlock();
        this.#left = N + 1;
      }
      const run = Math.min(count - done, this.#left - 1);
      out.set(this.#output.subarray(this.#next, this.#next + run), done);
      this.#next += run;
      this.#left -= run;
      done += run;
    }
  }

  /** Passes over the next `count` 32-bit numbers. */
  skip32(count: number): void {
    for (let i = 0; i < count; i++) this.random32();
  }

  /** The state in PyTorch's byte layout, so that either side can load the other's. */
  getState(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(STATE_BYTES);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, this.#seed, true);
    view.setInt32(AT_LEFT, this.#left, true);
    view.setInt32(AT_SEEDED, 1, true);
    view.setUint32(AT_NEXT, this.#next, true);
    for (let i = 0; i < N; i++) view.setUint32(AT_WORDS + 8 * i, this.#state[i], true);
    if (this.nextDoubleNormalSample !== undefined) {
      view.setFloat64(AT_DOUBLE_SAMPLE, this.nextDoubleNormalSample, true);
      view.setInt32(AT_DOUBLE_VALID, 1, true);
    }
    if (this.nextFloatNormalSample !== undefined) {
      view.setFloat32(AT_FLOAT_SAMPLE, this.nextFloatNormalSample, true);
      view.setUint8(AT_FLOAT_VALID, 1);
    }
    return bytes;
  }

  setState(bytes: Uint8Array): this {
    if (bytes.length !== STATE_BYTES) {
      throw new Error(
        `Expected a CPUGeneratorImplState of size ${STATE_BYTES} but found the input RNG state size to be ${bytes.length}`,
      );
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const left = view.getInt32(AT_LEFT, true);
    const next = view.getUint32(AT_NEXT, true);
    // The last condition keeps reads inside the block; every state that a generator saves meets it.
    const valid = view.getInt32(AT_SEEDED, true) !== 0 && left > 0 && left <= N && next + left <= N + 1;
    if (!valid) throw new Error('Invalid mt19937 state');
    for (let i = 0; i < N; i++) this.#state[i] = view.getUint32(AT_WORDS + 8 * i, true);
    this.#seed = view.getBigUint64(0, true);
    this.#left = left;
    this.#next = next;
    this.#temper();
    this.nextDoubleNormalSample =
      view.getInt32(AT_DOUBLE_VALID, true) !== 0 ? view.getFloat64(AT_DOUBLE_SAMPLE, true) : undefined;
    this.nextFloatNormalSample =
      view.getUint8(AT_FLOAT_VALID) !== 0 ? view.getFloat32(AT_FLOAT_SAMPLE, true) : undefined;
    return this;
  }

  cloneState(): Generator {
    return new Generator().setState(this.getState());
  }

  #nextBlock(): void {
    const state = this.#state;
    let current = state[0];
    for (let i = 0; i < N; i++) {
      const following = state[i === N - 1 ? 0 : i + 1];
      const mixed = (current & 0x80000000) | (following & 0x7fffffff);
      const partner = state[i < N - M ? i + M : i + M - N];
      state[i] = partner ^ (mixed >>> 1) ^ (-(following & 1) & 0x9908b0df);
      current = following;
    }
    this.#left = N;
    this.#next = 0;
    this.#temper();
  }

  #temper(): void {
    const state = this.#state;
    const output = this.#output;
    for (let i = 0; i < N; i++) {
      let y = state[i];
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      output[i] = y ^ (y >>> 18);
    }
  }
}

let shared: Generator | undefined;

/** The generator that calls without one use; its first seed comes from the system's randomness. */
export function defaultGenerator(): Generator {
  if (shared === undefined) {
    shared = new Generator();
    shared.seed();
  }
  return shared;
}
