import type { Unary } from './arithmetic.js';
import { unary } from './pointwise.js';

/** Pointwise functions of one input that compute in floats: exponentials, logarithms, roots, trigonometry. */

const float = { rule: 'float' } as const;
const INV_SQRT_PI2 = 2 / Math.sqrt(Math.PI);

export const exp: Unary = unary({
  ...float,
  name: 'exp',
  doc: 'e ^ input',
  forward: (x) => x.exp(),
  derivative: [(g, _, r) => g.mul(r)],
});

export const exp2: Unary = unary({
  ...float,
  name: 'exp2',
  doc: '2 ^ input',
  forward: (x) => x.exp2(),
  derivative: [(g, _, r) => g.mul(r).mul(Math.LN2)],
});

export const expm1: Unary = unary({
  ...float,
  name: 'expm1',
  doc: 'e ^ input - 1, exact near 0',
  forward: (x) => x.expm1(),
  derivative: [(g, _, r) => g.mul(r.add(1))],
});

const positive = { domain: [0.1, 3] } as const;

export const log: Unary = unary({
  ...float,
  ...positive,
  name: 'log',
  doc: 'Natural logarithm of input',
  forward: (x) => x.log(),
  derivative: [(g, [x]) => g.div(x)],
});

export const log2: Unary = unary({
  ...float,
  ...positive,
  name: 'log2',
  doc: 'Logarithm of input to the base 2',
  forward: (x) => x.log2(),
  derivative: [(g, [x]) => g.div(x.mul(Math.LN2))],
});

export const log10: Unary = unary({
  ...float,
  ...positive,
  name: 'log10',
  doc: 'Logarithm of input to the base 10',
  forward: (x) => x.log10(),
  derivative: [(g, [x]) => g.div(x.mul(Math.LN10))],
});

export const log1p: Unary = unary({
  ...float,
  name: 'log1p',
  doc: 'log(1 + input), exact near 0',
  domain: [-0.8, 3],
  forward: (x) => x.log1p(),
  derivative: [(g, [x]) => g.div(x.add(1))],
});

export const sqrt: Unary = unary({
  ...float,
  ...positive,
  name: 'sqrt',
  doc: 'Square root of input',
  forward: (x) => x.sqrt(),
  derivative: [(g, _, r) => g.div(r.mul(2))],
});

export const rsqrt: Unary = unary({
  ...float,
  ...positive,
  name: 'rsqrt',
  doc: '1 / sqrt(input)',
  forward: (x) => x.rsqrt(),
  derivative: [(g, _, r) => g.mul(-0.5).mul(r.mul(r).mul(r))],
});

export const reciprocal: Unary = unary({
  ...float,
  name: 'reciprocal',
  doc: '1 / input',
  domain: [0.5, 3],
  forward: (x) => x.pow(-1),
  derivative: [(g, _, r) => g.neg().mul(r.mul(r))],
});

export const square: Unary = unary({
  rule: 'arith',
  noBool: '"square" not implemented for \'Bool\'',
  name: 'square',
  doc: 'input ^ 2',
  nodeName: 'PowBackward0',
  forward: (x) => x.mul(x),
  derivative: [(g, [x]) => g.mul(x.mul(2))],
});

export const sin: Unary = unary({
  ...float,
  name: 'sin',
  doc: 'Sine of input in radians',
  forward: (x) => x.sin(),
  derivative: [(g, [x]) => g.mul(x.cos())],
});

export const cos: Unary = unary({
  ...float,
  name: 'cos',
  doc: 'Cosine of input in radians',
  forward: (x) => x.cos(),
  derivative: [(g, [x]) => g.mul(x.sin().neg())],
});

export const tan: Unary = unary({
  ...float,
  name: 'tan',
  doc: 'Tangent of input in radians',
  domain: [-1.2, 1.2],
  forward: (x) => x.tan(),
  derivative: [(g, _, r) => g.mul(r.mul(r).add(1))],
});

export const tanh: Unary = unary({
  ...float,
  name: 'tanh',
  doc: '(e^x - e^-x) / (e^x + e^-x)',
  forward: (x) => x.tanh(),
  derivative: [(g, _, r) => g.sub(g.mul(r).mul(r))],
});

export const sigmoid: Unary = unary({
  ...float,
  name: 'sigmoid',
  doc: '1 / (1 + e^-input)',
  forward: (x) => x.sigmoid(),
  derivative: [(g, _, r) => g.mul(r.sub(r.mul(r)))],
});

export const erf: Unary = unary({
  ...float,
  name: 'erf',
  doc: 'Error function, 2/sqrt(pi) * integral of e^(-t^2) from 0 to input',
  forward: (x) => x.erf(),
  derivative: [(g, [x]) => g.mul(x.mul(x).neg().exp().mul(INV_SQRT_PI2))],
});

export const silu: Unary = unary({
  name: 'silu',
  torch: 'nn.functional.silu',
  doc: 'input * sigmoid(input)',
  rule: 'float only',
  forward: (x) => x.div(x.neg().exp().add(1)),
  derivative: [(g, [x]) => g.mul(x.sigmoid()).mul(x.mul(x.sigmoid().neg().add(1)).add(1))],
});
