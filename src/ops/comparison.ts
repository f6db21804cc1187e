import { kernel } from '../backend/backend.js';
import { bool, dtypes, int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { sameShape } from '../core/shape.js';
import { isGradEnabled } from '../core/tape.js';
import { scalarAddress, Tensor } from '../core/tensor.js';
import { type Binary, numberToo, type Unary } from './arithmetic.js';
import { castTo, commonShape, launch, resultFor, resultType } from './iterate.js';
import { attach, checkTensor, FunctionNode, type Op, record } from './op.js';
import { binary, fitTo, kernelSources, type PointwiseSpec, unary } from './pointwise.js';
import { Expr } from './scalar.js';

/** Comparisons, logic on truth values, and choice between two tensors. */

const compare = (name: string, doc: string, forward: PointwiseSpec['forward']): Binary =>
  binary({ name, doc, rule: 'compare', forward, derivative: 'not differentiable' });

export const eq: Binary = compare('eq', 'input == other, as bool', (x, y) => x.eq(y));
export const ne: Binary = compare('ne', 'input != other, as bool', (x, y) => x.ne(y));
export const lt: Binary = compare('lt', 'input < other, as bool', (x, y) => x.lt(y));
export const le: Binary = compare('le', 'input <= other, as bool', (x, y) => x.le(y));
export const gt: Binary = compare('gt', 'input > other, as bool', (x, y) => x.gt(y));
export const ge: Binary = compare('ge', 'input >= other, as bool', (x, y) => x.ge(y));

const logic = { rule: 'logical', derivative: 'not differentiable' } as const;

export const logicalAnd: Binary = binary({
  ...logic,
  name: 'logicalAnd',
  doc: 'Whether both elements are non-zero',
  extension: numberToo,
  forward: (x, y) => x.logicalAnd(y),
});
export const logicalOr: Binary = binary({
  ...logic,
  name: 'logicalOr',
  doc: 'Whether either element is non-zero',
  extension: numberToo,
  forward: (x, y) => x.logicalOr(y),
});
export const logicalNot: Unary = unary({
  ...logic,
  name: 'logicalNot',
  doc: 'Whether the element is zero',
  forward: (x) => x.logicalNot(),
});

export const isnan: Op<(self: Tensor) => Tensor> = unary({
  inplace: false,
  name: 'isnan',
  doc: 'Whether the element is NaN',
  rule: 'compare',
  forward: (x) => x.ne(x),
  derivative: 'not differentiable',
});

export { ge as greaterEqual, gt as greater, le as lessEqual, lt as less, ne as notEqual };

const whereKernels = dtypes.map((d) => kernel(`where_${d.suffix}`));
kernelSources.push(() => [
  {
    name: 'where',
    inputs: 3,
    expr: Expr.input(0).where(Expr.input(1, true), Expr.input(2)),
    dtypes,
    toBool: false,
    boolInputs: [1],
  },
]);

function choose(condition: Tensor, input: Tensor | number, other: Tensor | number): Tensor {
  checkTensor('where', 'condition', condition);
  if (condition.dtype !== bool) {
    throw new RuntimeError(
      `where expected condition to be a boolean tensor, but got a tensor with dtype ${condition.dtype.title}`,
    );
  }
  let dtype = resultType(input, other);
  // Two numbers give the default float dtype whether or not they happen to be whole.
  if (typeof input === 'number' && typeof other === 'number' && dtype === int64) dtype = resultType(0.5);
  const shape = commonShape([condition, input, other]);
  const out = resultFor(shape, dtype, [condition, input, other]);
  const operand = (v: Tensor | number) => (typeof v === 'number' ? scalarAddress(v, dtype) : castTo(v, dtype));
  launch(whereKernels[dtype.index], out, [operand(input), condition, operand(other)]);
  const inputs = [input, other].map((v) => (v instanceof Tensor ? v : null));
  if (!isGradEnabled() || !inputs.some((v) => v?.requiresGrad)) return out;
  const node = new FunctionNode('WhereBackward0', inputs, (grad) => {
    const mine = (part: Tensor, v: Tensor | null) => (v === null ? null : fitTo(part, v.shape, v.dtype));
    return [mine(grad.where(condition, 0), inputs[0]), mine(grad.where(condition.logicalNot(), 0), inputs[1])];
  });
  return record(out, node);
}

/** The function form takes the condition first: `torch.where(condition, input, other)`; the method is `input.where(condition, other)`. */
export const where: Op<
  (condition: Tensor, input: Tensor | number, other: Tensor | number) => Tensor,
  never,
  (condition: Tensor, other: Tensor | number) => Tensor
> = attach(choose, {
  name: 'where',
  kind: 'pointwise',
  doc: 'input where condition holds, else other',
  inplace: false,
  differentiable: true,
  dtypes,
  samples: [
    {
      args: [
        {
          data: [
            [true, false],
            [false, true],
          ],
          dtype: 'bool',
        },
        { shape: [2, 2] },
        { shape: [2] },
      ],
    },
    { args: [{ data: [true, false], dtype: 'bool' }, { shape: [2] }, { value: 0 }] },
  ],
  errors: [
    {
      args: [{ shape: [2] }, { shape: [2] }, { shape: [2] }],
      message: 'where expected condition to be a boolean tensor',
    },
  ],
  method: (self: Tensor, condition: Tensor, other: Tensor | number) => choose(condition, self, other),
});

/** True if two tensors have the same shape and the same elements. */
export function equal(self: Tensor, other: Tensor): boolean {
  checkTensor('equal', 'input', self);
  checkTensor('equal', 'other', other);
  if (!sameShape(self.shape, other.shape)) return false;
  if (self.dtype !== other.dtype) {
    throw new RuntimeError(
      `Expected object of data type ${self.dtype} but got data type ${other.dtype} for argument #2 'other' in call to equal`,
    );
  }
  return Boolean(eq(self, other).all().item());
}
