import { bool } from '../core/dtype.js';
import { checkOptions, RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { resultType } from './iterate.js';
import type { Op } from './op.js';
import { binary, unary } from './pointwise.js';

/** Pointwise arithmetic: sums, products, powers, rounding, extrema. */

export type Unary = Op<(self: Tensor) => Tensor, 'inplace'>;
export type Binary = Op<(self: Tensor, other: Tensor | number) => Tensor, 'inplace'>;
/** A pointwise op of two inputs without an in-place form. */
export type BinaryOut = Op<(self: Tensor, other: Tensor | number) => Tensor>;
export type Scaled = Op<(self: Tensor, other: Tensor | number, options?: { alpha?: number }) => Tensor, 'inplace'>;

/** Why `maximum` and others take a number where PyTorch wants a tensor. */
export const numberToo = 'a number may stand for the second tensor, as in the other pointwise ops';

const withAlpha = [2, -0.5].map((alpha) => ({ args: [{ shape: [3, 4] }, { shape: [4] }, { value: { alpha } }] }));

/** `add` and `sub` take `alpha`, a factor of the second operand; other than 1 it is a product of its own. */
function scaled(plain: Binary): Scaled {
  const times = (self: Tensor, other: Tensor | number, options: { alpha?: number } | undefined): Tensor | number => {
    if (options === undefined) return other;
    checkOptions(plain.record.name, options, ['alpha']);
    const alpha = options.alpha ?? 1;
    if (alpha === 1) return other;
    const dtype = resultType(self, other);
    if (dtype.category !== 'float' && !Number.isInteger(alpha)) {
      throw new RuntimeError('For integral input tensors, argument alpha must not be a floating point number.');
    }
    if (typeof other === 'number') return other * alpha;
    if (dtype === bool) return alpha === 0 ? other.logicalAnd(0) : other;
    return other.to(dtype).mul(alpha);
  };
  const inPlace = plain.inPlace as (self: Tensor, other: Tensor | number) => Tensor;
  const fn = (self: Tensor, other: Tensor | number, options?: { alpha?: number }) =>
    plain(self, times(self, other, options));
  return Object.assign(fn, {
    record: plain.record,
    inPlace: (self: Tensor, other: Tensor | number, options?: { alpha?: number }) =>
      inPlace(self, times(self, other, options)),
  });
}

export const add: Scaled = scaled(
  binary({
    name: 'add',
    doc: 'input + alpha * other',
    rule: 'arith',
    moreSamples: withAlpha,
    forward: (x, y) => x.add(y),
    derivative: [(g) => g, (g) => g],
    errors: [
      {
        args: [{ shape: [2, 3] }, { shape: [2, 4] }],
        message: 'The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1',
      },
      { args: [{ shape: [2] }, { value: 'x' }], message: "argument 'other' must be Tensor or Number, not string" },
      { args: [{ shape: [2] }, { value: 1 }, { value: { alfa: 2 } }], message: "did you mean 'alpha'?" },
    ],
  }),
);

const noBoolSub =
  'Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use logicalNot() instead.';

export const sub: Scaled = scaled(
  binary({
    name: 'sub',
    doc: 'input - alpha * other',
    rule: 'arith',
    noBool: noBoolSub,
    check(inputs) {
      if (inputs.some((t) => typeof t === 'object' && t.dtype === bool)) throw new RuntimeError(noBoolSub);
    },
    moreSamples: withAlpha,
    forward: (x, y) => x.sub(y),
    derivative: [(g) => g, (g) => g.neg()],
    errors: [
      {
        args: [
          { data: [true], dtype: 'bool' },
          { data: [true], dtype: 'bool' },
        ],
        message: 'Subtraction, the `-` operator',
      },
    ],
  }),
);

export const mul: Binary = binary({
  name: 'mul',
  doc: 'input * other, element by element',
  rule: 'arith',
  forward: (x, y) => x.mul(y),
  derivative: [(g, [, y]) => g.mul(y), (g, [x]) => g.mul(x)],
});

export const div: Binary = binary({
  name: 'div',
  doc: 'input / other; integers become floats',
  rule: 'float',
  forward: (x, y) => x.div(y),
  derivative: [(g, [, y]) => g.div(y), (g, [, y], r) => g.neg().mul(r).div(y)],
  domain2: [0.5, 2],
});

export const pow: Binary = binary({
  name: 'pow',
  doc: 'input ^ exponent. The gradient is 0 for exponent 0, and that of the exponent is 0 where input is 0 and exponent >= 0.',
  rule: 'arith',
  forward: (x, y) => x.pow(y),
  derivative: [
    (g, [x, y]) => g.mul(y.mul(x.pow(y.sub(1)))).where(y.ne(0), 0),
    (g, [x, y], r) => g.mul(r.mul(x.log())).where(x.ne(0).logicalOr(y.ge(0).logicalNot()), 0),
  ],
  domain: [0.2, 2],
  domain2: [-1.5, 2.5],
  noBool: '"pow" not implemented for \'Bool\'',
  check([x, y]) {
    if (typeof x === 'object' && x.dtype.category !== 'float' && Number.isInteger(y) && (y as number) < 0) {
      throw new RuntimeError('Integers to negative integer powers are not allowed.');
    }
  },
});

export const remainder: Binary = binary({
  name: 'remainder',
  doc: 'input - other * floor(input / other): the sign is that of other, as in Python',
  rule: 'arith',
  forward: (x, y) => x.remainder(y),
  derivative: [
    (g) => g,
    (g, [x, y]) => {
      // The quotient that the remainder belongs to: floor(x / y) may be one off, since x / y is rounded.
      const r = x.remainder(y);
      const quotient = x.sub(r).div(y).round().where(r.ne(y), -1);
      return g.neg().mul(quotient.where(y.ne(0), x.div(y)));
    },
  ],
  domain: [-3, 3],
  domain2: [0.7, 0.9],
  noBool: '"remainder" not implemented for \'Bool\'',
});

export const maximum: BinaryOut = binary({
  inplace: false,
  name: 'maximum',
  doc: 'The larger of two elements; NaN wins. At ties each gets half of the gradient.',
  extension: numberToo,
  rule: 'arith',
  forward: (x, y) => x.maximum(y),
  derivative: [
    (g, [x, y]) => g.div(2).where(x.eq(y), g).where(x.lt(y).logicalNot(), 0),
    (g, [x, y]) => g.div(2).where(x.eq(y), g).where(y.lt(x).logicalNot(), 0),
  ],
});

export const minimum: BinaryOut = binary({
  inplace: false,
  name: 'minimum',
  doc: 'The smaller of two elements; NaN wins. At ties each gets half of the gradient.',
  extension: numberToo,
  rule: 'arith',
  forward: (x, y) => x.minimum(y),
  derivative: [
    (g, [x, y]) => g.div(2).where(x.eq(y), g).where(x.gt(y).logicalNot(), 0),
    (g, [x, y]) => g.div(2).where(x.eq(y), g).where(y.gt(x).logicalNot(), 0),
  ],
});

export const neg: Unary = unary({
  name: 'neg',
  doc: '-input',
  rule: 'arith',
  noBool:
    'Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use logicalNot() instead.',
  forward: (x) => x.neg(),
  derivative: [(g) => g.neg()],
});

export const abs: Unary = unary({
  name: 'abs',
  doc: '|input|; the gradient at 0 is 0',
  rule: 'arith',
  noBool: '"abs" not implemented for \'Bool\'',
  forward: (x) => x.abs(),
  derivative: [(g, [x]) => g.mul(x.sign())],
});

export const sign: Unary = unary({
  name: 'sign',
  doc: '-1, 0 or 1; the gradient is 0',
  rule: 'arith',
  noBool: '"sign" not implemented for \'Bool\'',
  forward: (x) => x.sign(),
  derivative: 'zero',
});

export const relu: Unary = unary({
  name: 'relu',
  doc: 'max(0, input); the gradient at 0 is 0 and passes where input is NaN',
  rule: 'arith',
  noBool: 'Boolean inputs not supported for relu',
  forward: (x) => x.maximum(0),
  derivative: [(g, _, r) => g.where(r.le(0).logicalNot(), 0)],
});

const rounding = { rule: 'arith', derivative: 'zero' } as const;
export const floor: Unary = unary({
  ...rounding,
  name: 'floor',
  doc: 'Largest whole number not above input; the gradient is 0',
  noBool: '"floor" not implemented for \'Bool\'',
  forward: (x) => x.floor(),
});
export const ceil: Unary = unary({
  ...rounding,
  name: 'ceil',
  doc: 'Smallest whole number not below input; the gradient is 0',
  noBool: '"ceil" not implemented for \'Bool\'',
  forward: (x) => x.ceil(),
});
export const round: Unary = unary({
  ...rounding,
  name: 'round',
  doc: 'Nearest whole number, halves to the even one; the gradient is 0',
  noBool: '"round" not implemented for \'Bool\'',
  forward: (x) => x.round(),
});
export const trunc: Unary = unary({
  ...rounding,
  name: 'trunc',
  doc: 'Whole part of input; the gradient is 0',
  noBool: '"trunc" not implemented for \'Bool\'',
  forward: (x) => x.trunc(),
});

export {
  abs as absolute,
  div as divide,
  div as trueDivide,
  mul as multiply,
  neg as negative,
  sub as subtract,
  trunc as fix,
};
