/**
 * Scalar expressions. A pointwise op states its formula once, as a function over `Arith` values. Run on symbols it
 * yields an expression that the kernel generators print (C++ today) and that `evaluate` computes for tests; run on
 * tensors, which offer the same methods, it is the differentiable form that second derivatives use.
 */
export interface Arith<S> {
  add(other: S | number): S;
  sub(other: S | number): S;
  mul(other: S | number): S;
  div(other: S | number): S;
  neg(): S;
  abs(): S;
  sign(): S;
  exp(): S;
  exp2(): S;
  expm1(): S;
  log(): S;
  log2(): S;
  log10(): S;
  log1p(): S;
  sqrt(): S;
  rsqrt(): S;
  sin(): S;
  cos(): S;
  tan(): S;
  tanh(): S;
  sigmoid(): S;
  erf(): S;
  floor(): S;
  ceil(): S;
  round(): S;
  trunc(): S;
  pow(exponent: S | number): S;
  remainder(other: S | number): S;
  maximum(other: S | number): S;
  minimum(other: S | number): S;
  eq(other: S | number): S;
  ne(other: S | number): S;
  lt(other: S | number): S;
  le(other: S | number): S;
  gt(other: S | number): S;
  ge(other: S | number): S;
  logicalAnd(other: S): S;
  logicalOr(other: S): S;
  logicalNot(): S;
  isnan(): S;
  /** This value where `condition` holds, else `other`. */
  where(condition: S, other: S | number): S;
}

type Numeric = (a: number, b: number, c: number) => number;

/** One primitive of the expression language. `cpp` prints it from printed operands. */
interface Primitive {
  arity: 1 | 2 | 3;
  /** Whether the result is a truth value (a mask in kernels). */
  mask?: true;
  /** Rough cost in additions, for the choice of threads. */
  cost: number;
  cpp: (a: string, b: string, c: string) => string;
  evaluate: Numeric;
}

const call = (name: string, cost: number, evaluate: Numeric): Primitive => ({
  arity: 1,
  cost,
  cpp: (a) => `v_${name}(${a})`,
  evaluate,
});
const call2 = (name: string, cost: number, evaluate: Numeric): Primitive => ({
  arity: 2,
  cost,
  cpp: (a, b) => `v_${name}(${a}, ${b})`,
  evaluate,
});
const infix = (symbol: string, evaluate: Numeric, cost = 1): Primitive => ({
  arity: 2,
  cost,
  cpp: (a, b) => `(${a} ${symbol} ${b})`,
  evaluate,
});
const test = (symbol: string, evaluate: (a: number, b: number) => boolean): Primitive => ({
  arity: 2,
  mask: true,
  cost: 1,
  cpp: (a, b) => `(${a} ${symbol} ${b})`,
  evaluate: (a, b) => Number(evaluate(a, b)),
});

function roundHalfEven(x: number): number {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

/** Abramowitz-Stegun-free erf for the reference: series near 0, continued fraction beyond. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-18 * sum && n < 100; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / ((a + fraction) * Math.sqrt(Math.PI)));
}

const remainder = (a: number, b: number) => {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
};
const nanMax = (a: number, b: number) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b));
const nanMin = (a: number, b: number) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.min(a, b));

const primitives = {
  add: infix('+', (a, b) => a + b),
  sub: infix('-', (a, b) => a - b),
  mul: infix('*', (a, b) => a * b),
  div: infix('/', (a, b) => a / b, 4),
  neg: { arity: 1, cost: 1, cpp: (a) => `(-${a})`, evaluate: (a) => -a },
  abs: call('abs', 1, Math.abs),
  sign: call('sign', 2, (a) => Math.sign(a)),
  exp: call('exp', 10, Math.exp),
  exp2: call('exp2', 10, (a) => 2 ** a),
  expm1: call('expm1', 14, Math.expm1),
  log: call('log', 12, Math.log),
  log2: call('log2', 12, Math.log2),
  log10: call('log10', 12, Math.log10),
  log1p: call('log1p', 14, Math.log1p),
  sqrt: call('sqrt', 6, Math.sqrt),
  rsqrt: call('rsqrt', 8, (a) => 1 / Math.sqrt(a)),
  sin: call('sin', 16, Math.sin),
  cos: call('cos', 16, Math.cos),
  tan: call('tan', 24, Math.tan),
  tanh: call('tanh', 16, Math.tanh),
  sigmoid: call('sigmoid', 14, (a) => 1 / (1 + Math.exp(-a))),
  erf: call('erf', 20, erf),
  floor: call('floor', 1, Math.floor),
  ceil: call('ceil', 1, Math.ceil),
  round: call('round', 1, roundHalfEven),
  trunc: call('trunc', 1, Math.trunc),
  pow: call2('pow', 40, (a, b) => (a === 1 || b === 0 ? 1 : a === -1 && Math.abs(b) === Infinity ? 1 : a ** b)),
  remainder: call2('remainder', 20, remainder),
  maximum: call2('max', 1, nanMax),
  minimum: call2('min', 1, nanMin),
  eq: test('==', (a, b) => a === b),
  ne: test('!=', (a, b) => a !== b),
  lt: test('<', (a, b) => a < b),
  le: test('<=', (a, b) => a <= b),
  gt: test('>', (a, b) => a > b),
  ge: test('>=', (a, b) => a >= b),
  logicalAnd: { ...infix('&', (a, b) => Number(a !== 0 && b !== 0)), mask: true },
  logicalOr: { ...infix('|', (a, b) => Number(a !== 0 || b !== 0)), mask: true },
  logicalNot: { arity: 1, mask: true, cost: 1, cpp: (a) => `(~${a})`, evaluate: (a) => Number(a === 0) },
  isnan: { arity: 1, mask: true, cost: 1, cpp: (a) => `v_isnan(${a})`, evaluate: (a) => Number(Number.isNaN(a)) },
  where: {
    arity: 3,
    cost: 1,
    cpp: (a, condition, b) => `v_where(${condition}, ${a}, ${b})`,
    evaluate: (a, condition, b) => (condition !== 0 ? a : b),
  },
} satisfies Record<string, Primitive>;

export type PrimitiveName = keyof typeof primitives;

/** A node of an expression: a primitive over operands, an input or a constant. */
export class Expr {
  private constructor(
    readonly kind: PrimitiveName | 'input' | 'constant',
    readonly operands: readonly Expr[],
    /** Index of an input, or value of a constant. */
    readonly value: number,
    readonly isMask: boolean,
  ) {}

  static input(index: number, isMask = false): Symbolic {
    return new Expr('input', [], index, isMask) as Symbolic;
  }

  static constant(value: number): Symbolic {
    return new Expr('constant', [], value, false) as Symbolic;
  }

  static apply(name: PrimitiveName, operands: readonly (Expr | number)[]): Symbolic {
    const list = operands.map((o) => (typeof o === 'number' ? Expr.constant(o) : o));
    return new Expr(name, list, 0, 'mask' in primitives[name]) as Symbolic;
  }

  /** Cost in additions. */
  get cost(): number {
    const own = this.kind === 'input' || this.kind === 'constant' ? 0 : primitives[this.kind].cost;
    return this.operands.reduce((sum, o) => sum + o.cost, own);
  }

  /** Whether a primitive occurs. */
  contains(kind: PrimitiveName): boolean {
    return this.kind === kind || this.operands.some((o) => o.contains(kind));
  }

  /** Whether input `index` occurs. */
  uses(index: number): boolean {
    return this.kind === 'input' ? this.value === index : this.operands.some((o) => o.uses(index));
  }
}

/** An expression with the methods of {@link Arith}. */
export type Symbolic = Expr & Arith<Symbolic>;

for (const name of Object.keys(primitives) as PrimitiveName[]) {
  Object.defineProperty(Expr.prototype, name, {
    value(this: Expr, ...others: (Expr | number)[]) {
      return Expr.apply(name, [this, ...others]);
    },
  });
}

/** Value of an expression in double precision: the reference that kernels are tested against. */
export function evaluate(expr: Expr, inputs: readonly number[]): number {
  if (expr.kind === 'input') return inputs[expr.value];
  if (expr.kind === 'constant') return expr.value;
  const [a, b, c] = expr.operands.map((o) => evaluate(o, inputs));
  return primitives[expr.kind].evaluate(a, b, c);
}

/** Functions that change nothing in whole numbers. */
const wholeNumberIdentities = new Set(['floor', 'ceil', 'round', 'trunc']);

/**
 * Prints an expression as C++ statements over vectors `x[i]`, in the vocabulary of `kernels/math*.h`. `toMask` asks for
 * a truth value whatever the expression gives.
 */
export function toCpp(expr: Expr, options: { integer: boolean; toMask: boolean }): string {
  const lines: string[] = [];
  const done = new Map<Expr, string>();
  const visit = (e: Expr, asMask: boolean): string => {
    let text = done.get(e);
    if (text === undefined) {
      text = printed(e);
      done.set(e, text);
    }
    if (asMask && !e.isMask) return `(${text} != C<V>(0))`;
    return !asMask && e.isMask ? `v_where(${text}, C<V>(1), C<V>(0))` : text;
  };
  const printed = (e: Expr): string => {
    if (e.kind === 'input') return e.isMask ? `(x[${e.value}] != C<V>(0))` : `x[${e.value}]`;
    if (e.kind === 'constant') return `C<V>(${cppNumber(e.value)})`;
    if (options.integer && wholeNumberIdentities.has(e.kind)) return visit(e.operands[0], false);
    const logical = e.kind === 'logicalAnd' || e.kind === 'logicalOr' || e.kind === 'logicalNot';
    const operands = e.operands.map((o, i) => visit(o, logical || (e.kind === 'where' && i === 1)));
    const name = `t${lines.length}`;
    lines.push(`auto ${name} = ${primitives[e.kind].cpp(operands[0], operands[1], operands[2])};`);
    return name;
  };
  const result = visit(expr, options.toMask);
  return `${[...lines, `return ${result};`].join(' ')}`;
}

function cppNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '__builtin_inf()' : value < 0 ? '-__builtin_inf()' : '__builtin_nan("")';
}
