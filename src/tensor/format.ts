/** What printing needs to know of a tensor. */
export interface Printable {
  readonly shape: readonly number[];
  /** Name without prefix: 'float32', 'int64', 'bool', ... */
  readonly dtype: string;
  /** In elements; row-major when absent. */
  readonly strides?: readonly number[] | undefined;
  /** Position of the first element; 0 when absent. */
  readonly offset?: number | undefined;
  /** Reads one element by position (offset + index . strides). Called once for each element that is shown. */
  at(position: number): number | bigint | boolean;
  readonly requiresGrad?: boolean | undefined;
  /** Class name of the backward node, such as 'AddBackward0'. */
  readonly gradFn?: string | undefined;
  /** Shown unless absent or 'cpu'. A 'meta' tensor has no elements to show. */
  readonly device?: string | undefined;
  readonly defaultDtype: string;
}

export interface PrintOptions {
  /** Digits after the decimal point. */
  precision: number;
  /** Tensors with more elements than this are summarised. */
  threshold: number;
  /** Items shown at each end of a summarised dimension. */
  edgeitems: number;
  /** Characters per line. */
  linewidth: number;
  /** true or false forces or forbids scientific notation, null chooses by the values. */
  sciMode: boolean | null;
}

export type PrintProfile = 'default' | 'short' | 'full';

export interface SetPrintOptions {
  precision?: number | null | undefined;
  threshold?: number | null | undefined;
  edgeitems?: number | null | undefined;
  linewidth?: number | null | undefined;
  profile?: PrintProfile | null | undefined;
  sciMode?: boolean | null | undefined;
}

const numericOptions = ['precision', 'threshold', 'edgeitems', 'linewidth'] as const;

const profiles: Readonly<Record<PrintProfile, Readonly<Omit<PrintOptions, 'sciMode'>>>> = {
  default: { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80 },
  short: { precision: 2, threshold: 1000, edgeitems: 2, linewidth: 80 },
  full: { precision: 4, threshold: Number.POSITIVE_INFINITY, edgeitems: 3, linewidth: 80 },
};

let current: Readonly<PrintOptions> = { ...profiles.default, sciMode: null };

function checkOption(name: string, value: unknown): number {
  const infinite = name === 'threshold' && value === Number.POSITIVE_INFINITY;
  if (typeof value !== 'number' || !(infinite || (Number.isInteger(value) && value >= 0))) {
    throw new TypeError(`setPrintOptions: ${name} must be a non-negative integer, got ${String(value)}`);
  }
  return value;
}

/**
 * Changes how tensors are printed. Options left out keep their value, except `sciMode`, which goes back to
 * automatic (as in PyTorch). Options given beside a `profile` override it.
 */
export function setPrintOptions(options: SetPrintOptions): void {
  for (const key of Object.keys(options)) {
    if (key !== 'profile' && key !== 'sciMode' && !(numericOptions as readonly string[]).includes(key)) {
      const known = [...numericOptions, 'profile', 'sciMode'].join(', ');
      throw new TypeError(`setPrintOptions: unknown option '${key}' (known: ${known})`);
    }
  }
  const { profile, sciMode = null } = options;
  const next: PrintOptions = { ...current, sciMode };
  if (sciMode !== null && typeof sciMode !== 'boolean') {
    throw new TypeError(`setPrintOptions: sciMode must be true, false or null, got ${String(sciMode)}`);
  }
  if (profile !== undefined && profile !== null) {
    if (!Object.hasOwn(profiles, profile)) {
      throw new TypeError(`setPrintOptions: profile must be 'default', 'short' or 'full', got '${String(profile)}'`);
    }
    Object.assign(next, profiles[profile]);
  }
  for (const name of numericOptions) {
    const value = options[name];
    if (value !== undefined && value !== null) next[name] = checkOption(name, value);
  }
  current = next;
}

/** A copy of the options in force; `setPrintOptions` takes it back. */
export function getPrintOptions(): PrintOptions {
  return { ...current };
}

/** Runs `body` under changed print options and restores the former ones when it returns or throws. */
export function withPrintOptions<T>(options: SetPrintOptions, body: () => T): T {
  const saved = current;
  setPrintOptions(options);
  try {
    return body();
  } finally {
    current = saved;
  }
}

/** A positive finite double as an exact fraction. */
function toFraction(x: number): [numerator: bigint, denominator: bigint] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const exponent = Math.max(biased, 1) - 1075;
  return exponent >= 0 ? [mantissa << BigInt(exponent), 1n] : [mantissa, 1n << BigInt(-exponent)];
}

/** numerator / denominator * 10^scale, rounded half to even as C's printf does. */
function scaledRound(numerator: bigint, denominator: bigint, scale: number): bigint {
  const top = scale > 0 ? numerator * 10n ** BigInt(scale) : numerator;
  const bottom = scale < 0 ? denominator * 10n ** BigInt(-scale) : denominator;
  const quotient = top / bottom;
  const twice = (top % bottom) * 2n;
  const up = twice > bottom || (twice === bottom && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function withPoint(digits: string, decimals: number): string {
  if (decimals === 0) return digits;
  const split = digits.length - decimals;
  return `${digits.slice(0, split)}.${digits.slice(split)}`;
}

function nonFinite(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  return x > 0 ? 'inf' : '-inf';
}

function signOf(x: number): string {
  return x < 0 || Object.is(x, -0) ? '-' : '';
}

/** C's `%.{decimals}f`. */
export function formatFixed(x: number, decimals: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  // JavaScript rounds exact ties up, C to even: a tie always shows a last 5 when written one digit longer.
  if (size < 1e21 && decimals < 100 && !size.toFixed(decimals + 1).endsWith('5')) {
    return signOf(x) + size.toFixed(decimals);
  }
  const digits = scaledRound(...toFraction(size), decimals).toString();
  return signOf(x) + withPoint(digits.padStart(decimals + 1, '0'), decimals);
}

/** C's `%.{decimals}e`. */
export function formatExponent(x: number, decimals: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  if (size === 0) return `${signOf(x)}${withPoint('0'.repeat(decimals + 1), decimals)}e+00`;
  let mantissa: string;
  let exponent: number;
  const longer = decimals < 100 ? size.toExponential(decimals + 1).split('e')[0] : undefined;
  if (longer !== undefined && !longer.endsWith('5')) {
    const text = size.toExponential(decimals);
    const mark = text.indexOf('e');
    mantissa = text.slice(0, mark);
    exponent = Number(text.slice(mark + 1));
  } else {
    const [numerator, denominator] = toFraction(size);
    exponent = Math.floor(Math.log10(size)) + 1;
    const below = (power: number): boolean =>
      power < 0 ? numerator * 10n ** BigInt(-power) < denominator : numerator < denominator * 10n ** BigInt(power);
    while (below(exponent)) exponent--;
    let digits = scaledRound(numerator, denominator, decimals - exponent).toString();
    if (digits.length > decimals + 1) {
      digits = digits.slice(0, -1);
      exponent++;
    }
    mantissa = withPoint(digits, decimals);
  }
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${signOf(x)}${mantissa}e${exponent < 0 ? '-' : '+'}${power}`;
}

function isFloating(dtype: string): boolean {
  return dtype.startsWith('float') || dtype === 'bfloat16';
}

function tuple(values: readonly number[]): string {
  return values.length === 1 ? `(${values[0]},)` : `(${values.join(', ')})`;
}

function rowMajor(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const size of [...shape].reverse()) {
    strides.unshift(step);
    step *= size;
  }
  return strides;
}

/** The texts of floating point values, and the width that the finite nonzero ones need. */
function floatTexts(values: readonly number[], options: PrintOptions): [texts: string[], width: number] {
  let smallest = Number.POSITIVE_INFINITY;
  let largest = 0;
  let whole = true;
  for (const value of values) {
    if (!Number.isFinite(value) || value === 0) continue;
    const size = Math.abs(value);
    if (size < smallest) smallest = size;
    if (size > largest) largest = size;
    if (whole && !Number.isInteger(value)) whole = false;
  }
  const { precision } = options;
  const spread = largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4;
  const scientific = largest > 0 && (options.sciMode ?? spread);
  let format: (value: number) => string;
  if (scientific) format = (value) => formatExponent(value, precision);
  else if (whole) format = (value) => formatFixed(value, 0) + (Number.isFinite(value) ? '.' : '');
  else format = (value) => formatFixed(value, precision);
  let width = 1;
  const texts = values.map((value) => {
    const text = format(value);
    if (text.length > width && Number.isFinite(value) && value !== 0) width = text.length;
    return text;
  });
  return [texts, width];
}

function elementTexts(
  values: readonly (number | bigint | boolean)[],
  dtype: string,
  options: PrintOptions,
): [texts: string[], width: number] {
  if (isFloating(dtype)) return floatTexts(values.map(Number), options);
  const texts = values.map(dtype === 'bool' ? (value) => (value ? 'True' : 'False') : String);
  return [texts, texts.reduce((width, text) => Math.max(width, text.length), 1)];
}

/** The bracketed elements; `indent` is where the first bracket stands. */
function contents(tensor: Printable, count: number, indent: number, options: PrintOptions): string {
  const { shape } = tensor;
  const { edgeitems, linewidth } = options;
  const strides = tensor.strides ?? rowMajor(shape);
  const shortened = (size: number): boolean => count > options.threshold && size > 2 * edgeitems;

  const shown: (number | bigint | boolean)[] = [];
  const read = (dim: number, position: number): void => {
    const size = shape[dim];
    if (size === undefined) {
      shown.push(tensor.at(position));
      return;
    }
    const step = strides[dim] ?? 0;
    const cut = shortened(size);
    for (let i = 0; i < size; i++) {
      if (cut && i === edgeitems) i = size - edgeitems;
      if (i < size) read(dim + 1, position + i * step);
    }
  };
  read(0, tensor.offset ?? 0);

  const [texts, width] = elementTexts(shown, tensor.dtype, options);
  let next = 0;
  const element = (): string => (texts[next++] ?? '').padStart(width);

  const vector = (size: number, column: number): string => {
    const perLine = Math.max(1, Math.floor((linewidth - column) / (width + 2)));
    const items: string[] = [];
    const cut = shortened(size);
    for (let left = cut ? edgeitems : size; left > 0; left--) items.push(element());
    if (cut) {
      items.push(edgeitems === 0 ? '...' : ' ...');
      for (let left = edgeitems; left > 0; left--) items.push(element());
    }
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${' '.repeat(column + 1)}`)}]`;
  };

  const block = (dim: number, column: number): string => {
    const size = shape[dim];
    if (size === undefined) return element();
    const rank = shape.length - dim;
    if (rank === 1) return vector(size, column);
    const slices: string[] = [];
    const cut = shortened(size);
    for (let left = cut ? edgeitems : size; left > 0; left--) slices.push(block(dim + 1, column + 1));
    if (cut) {
      slices.push('...');
      for (let left = edgeitems; left > 0; left--) slices.push(block(dim + 1, column + 1));
    }
    return `[${slices.join(`,${'\n'.repeat(rank - 1)}${' '.repeat(column + 1)}`)}]`;
  };
  return block(0, indent);
}

function addSuffixes(text: string, suffixes: readonly string[], indent: number, linewidth: number): string {
  let out = text;
  // One more than the true length: PyTorch's measure, which decides where the line breaks.
  let lineLength = text.length - text.lastIndexOf('\n') + 1;
  for (const suffix of suffixes) {
    if (lineLength + suffix.length + 2 > linewidth) {
      out += `,\n${' '.repeat(indent)}${suffix}`;
      lineLength = indent + suffix.length;
    } else {
      out += `, ${suffix}`;
      lineLength += suffix.length + 2;
    }
  }
  return `${out})`;
}

/** The text that PyTorch's `print(tensor)` gives. */
export function formatTensor(tensor: Printable, options: PrintOptions = current): string {
  const { shape, dtype, device = 'cpu', defaultDtype } = tensor;
  const prefix = 'tensor(';
  const count = shape.reduce((product, size) => product * size, 1);
  const meta = device === 'meta';
  const suffixes: string[] = [];
  let text: string;
  let dtypeKnown = dtype === defaultDtype;

  if (device !== 'cpu') suffixes.push(`device='${device}'`);
  if (meta || count === 0) {
    if (meta || shape.length !== 1) suffixes.push(`size=${tuple(shape)}`);
    text = meta ? '...' : '[]';
  } else {
    if (options.edgeitems === 0) suffixes.push(`size=${tuple(shape)}`);
    dtypeKnown ||= dtype === 'int64' || dtype === 'bool';
    text = contents(tensor, count, prefix.length, options);
  }
  if (!dtypeKnown) suffixes.push(`dtype=torch.${dtype}`);
  if (tensor.gradFn !== undefined) suffixes.push(`grad_fn=<${tensor.gradFn}>`);
  else if (tensor.requiresGrad) suffixes.push('requires_grad=True');
  return addSuffixes(prefix + text, suffixes, prefix.length, options.linewidth);
}

/** The text that PyTorch's `print(parameter)` gives. */
export function formatParameter(parameter: Printable, options: PrintOptions = current): string {
  return `Parameter containing:\n${formatTensor(parameter, options)}`;
}
