import { hasKernel, kernel } from '../backend/backend.js';
import { dtypes as allDtypes, bool, type DType, float32, float64, getDefaultDtype } from '../core/dtype.js';
import { NotImplementedError, RuntimeError } from '../core/errors.js';
import { type Shape, sameShape } from '../core/shape.js';
import { isGradEnabled, Node, Saved } from '../core/tape.js';
import { empty, emptyBeside, scalarAddress, Tensor } from '../core/tensor.js';
import { rebase } from './inplace.js';
import {
  castTo,
  checkInPlace,
  checkOverlap,
  commonShape,
  copyInto,
  launch,
  launchFlat,
  resultFor,
  resultType,
} from './iterate.js';
import { attach, checkTensor, type ErrorSample, nodeName, type OpRecord, record, type Sample } from './op.js';
import { type Arith, Expr, type Symbolic } from './scalar.js';

/**
 * Pointwise ops. A record states the formula of one element and the formulas of its derivatives; forward and backward
 * kernels for every dtype are printed from them at build time (tools/generate-kernels.mjs), and run here with
 * promotion, broadcasting, strides, in-place forms and the tape.
 */

/** Formula of one element. Written once, it runs on symbols and on tensors. */
export type Formula = <S extends Arith<S>>(...inputs: S[]) => S;
/** Derivative of one input: gradient of the result, inputs, result. */
export type GradFormula = <S extends Arith<S>>(grad: S, inputs: S[], result: S) => S;

/**
 * Which dtypes an op computes in and returns: `arith` the promoted one; `float` floats, integers becoming the default;
 * `float only` floats, integers being refused;
 * `compare` compares in the promoted one and returns bool; `logical` tests for non-zero and returns bool.
 */
export type DTypeRule = 'arith' | 'float' | 'float only' | 'compare' | 'logical';

export interface PointwiseSpec {
  name: string;
  doc: string;
  inputs: 1 | 2;
  rule: DTypeRule;
  /** For `arith`: the op has no meaning for bool; PyTorch's message. */
  noBool?: string;
  /** Refuses operands that the rule alone would take. */
  check?: (inputs: readonly (Tensor | number)[]) => void;
  forward: Formula;
  /** One formula per input, or why there is none. Formulas whose gradient is zero everywhere say 'zero'. */
  derivative: readonly GradFormula[] | 'zero' | 'not differentiable';
  /** Interval that samples are drawn from, where not all reals are allowed or the op has kinks outside. */
  domain?: readonly [number, number];
  /** The second operand's interval. */
  domain2?: readonly [number, number];
  samples?: readonly Sample[];
  /** Samples beside those that follow from the number of inputs. */
  moreSamples?: readonly Sample[];
  errors?: readonly ErrorSample[];
  tolerance?: OpRecord['tolerance'];
  extension?: string;
  torch?: string;
  nodeName?: string;
  /** False where PyTorch has no `name_`. */
  inplace?: boolean;
}

/** One kernel to be printed: its name, expression over `inputs` operands, and the dtypes it is wanted in. */
export interface KernelSource {
  name: string;
  inputs: number;
  expr: Expr;
  dtypes: readonly DType[];
  /** Whether the result is stored as bool. */
  toBool: boolean;
  /** Inputs that are stored as bool whatever the dtype of the others. */
  boolInputs?: readonly number[];
}

/** Sources of all pointwise kernels, for the generators. */
export const kernelSources: (() => KernelSource[])[] = [];

interface Gradient {
  formula: GradFormula;
  /** The gradient passes through unchanged. */
  identity: boolean;
  /** Inputs that the kernel takes after the gradient; -1 stands for the result. */
  operands: number[];
  /** Kernels for float32 and float64. */
  kernels: number[];
}

/** A record with what is worked out from it on first use. */
class Pointwise {
  readonly kernels: number[];
  readonly computeDtypes: readonly DType[];
  readonly nodeName: string;
  private readonly divides: boolean;
  private gradients: Gradient[] | undefined;

  constructor(readonly spec: PointwiseSpec) {
    this.computeDtypes =
      spec.rule === 'float' || spec.rule === 'float only'
        ? [float32, float64]
        : allDtypes.filter((d) => d !== bool || (spec.rule !== 'arith' ? true : spec.noBool === undefined));
    this.kernels = allDtypes.map((d) => kernel(`${spec.name}_${d.suffix}`));
    this.nodeName = spec.nodeName ?? nodeName(spec.name);
    this.divides = spec.forward(...this.symbols()).contains('remainder');
    kernelSources.push(() => this.sources());
  }

  get returnsBool(): boolean {
    return this.spec.rule === 'compare' || this.spec.rule === 'logical';
  }

  private symbols(): Symbolic[] {
    return Array.from({ length: this.spec.inputs }, (_, i) => Expr.input(i, this.spec.rule === 'logical'));
  }

  /** Derivatives as expressions: input 0 is the gradient, then the inputs, then the result. */
  private derivativeExprs(): Expr[] {
    const { derivative, inputs } = this.spec;
    if (derivative === 'zero' || derivative === 'not differentiable') return [];
    const symbols = Array.from({ length: inputs }, (_, i) => Expr.input(i + 1));
    return derivative.map((formula) => formula(Expr.input(0), symbols, Expr.input(inputs + 1)));
  }

  gradient(index: number): Gradient {
    this.gradients ??= this.derivativeExprs().map((expr, i) => {
      const { inputs } = this.spec;
      const operands: number[] = [];
      for (let k = 0; k < inputs; k++) if (expr.uses(k + 1)) operands.push(k);
      if (expr.uses(inputs + 1)) operands.push(-1);
      return {
        formula: (this.spec.derivative as readonly GradFormula[])[i],
        identity: expr.kind === 'input' && expr.value === 0,
        operands,
        kernels: [float32, float64].map((d) => kernel(`${this.spec.name}_grad${i}_${d.suffix}`)),
      };
    });
    return this.gradients[index];
  }

  private sources(): KernelSource[] {
    const { name, inputs, forward } = this.spec;
    const out: KernelSource[] = [
      { name, inputs, expr: forward(...this.symbols()), dtypes: this.computeDtypes, toBool: this.returnsBool },
    ];
    this.derivativeExprs().forEach((expr, i) => {
      const { identity, operands } = this.gradient(i);
      if (identity) return;
      const positions = operands.map((k) => (k === -1 ? inputs + 1 : k + 1));
      out.push({
        name: `${name}_grad${i}`,
        inputs: 1 + operands.length,
        expr: renumber(expr, [0, ...positions]),
        dtypes: [float32, float64],
        toBool: false,
      });
    });
    return out;
  }

  /** The dtype that the op computes in. */
  computeDtype(inputs: readonly (Tensor | number)[]): DType {
    const { rule, noBool, check, name } = this.spec;
    let dtype = resultType(...inputs);
    if (rule === 'float' && dtype.category !== 'float') dtype = getDefaultDtype();
    if (noBool !== undefined && dtype === bool) throw new RuntimeError(noBool);
    check?.(inputs);
    if (!hasKernel(this.kernels[dtype.index]))
      throw new NotImplementedError(`"${name}" not implemented for '${dtype.title}'`);
    return dtype;
  }

  /** Computes into `out`, or into a new tensor. */
  compute(inputs: readonly (Tensor | number)[], shape: Shape, dtype: DType, out?: Tensor): Tensor {
    const operands = inputs.map((input) =>
      typeof input === 'number' ? scalarAddress(input, dtype) : castTo(input, dtype),
    );
    const outDtype = this.returnsBool ? bool : dtype;
    // Where a division by zero may stop the kernel midway, the tensor to be changed is written after it.
    const direct = out !== undefined && out.dtype === outDtype && !(this.divides && dtype.category === 'integer');
    const target = direct ? out : resultFor(shape, outDtype, inputs);
    if (launch(this.kernels[dtype.index], target, operands) !== 0) throw new RuntimeError('ZeroDivisionError');
    if (out !== undefined && out !== target) copyInto(out, target);
    return out ?? target;
  }

  /** The dtype that the op computes in where the operands share `dtype`, if that needs no conversion. */
  private direct(dtype: DType): boolean {
    const { rule } = this.spec;
    return (
      ((rule !== 'float' && rule !== 'float only') || dtype.category === 'float') &&
      (dtype !== bool || this.spec.noBool === undefined)
    );
  }

  /** The common case, without lists: row-major operands of one shape and dtype. */
  callUnary(self: Tensor): Tensor {
    if (!self.isContiguous() || !this.direct(self.dtype)) return this.call([self]);
    const out = emptyBeside(self, this.returnsBool ? bool : self.dtype);
    launchFlat(this.kernels[self.dtype.index], out, self);
    if (!self.needsGrad || !this.tracks([self])) return out;
    return record(out, new PointwiseNode(this, [self], out, self.dtype));
  }

  callBinary(self: Tensor | number, other: Tensor | number): Tensor {
    const inputs = [self, other];
    if (typeof self === 'number' || typeof other === 'number') return this.call(inputs);
    const { dtype } = self;
    const simple =
      dtype === other.dtype &&
      sameShape(self.shape, other.shape) &&
      self.isContiguous() &&
      other.isContiguous() &&
      this.direct(dtype);
    if (!simple) return this.call(inputs);
    const out = emptyBeside(self, this.returnsBool ? bool : dtype);
    if (launchFlat(this.kernels[dtype.index], out, self, other) !== 0) throw new RuntimeError('ZeroDivisionError');
    if ((!self.needsGrad && !other.needsGrad) || !this.tracks(inputs)) return out;
    return record(out, new PointwiseNode(this, inputs, out, dtype));
  }

  call(inputs: readonly (Tensor | number)[]): Tensor {
    const dtype = this.computeDtype(inputs);
    const result = this.compute(inputs, commonShape(inputs), dtype);
    return this.tracks(inputs) ? record(result, new PointwiseNode(this, inputs, result, dtype)) : result;
  }

  callInPlace(inputs: readonly (Tensor | number)[]): Tensor {
    const self = inputs[0] as Tensor;
    const dtype = this.computeDtype(inputs);
    const name = `${this.spec.name}_`;
    checkInPlace(name, self, commonShape(inputs), this.returnsBool ? bool : dtype);
    checkOverlap(name, self, inputs);
    return rebase(self, this.tracks(inputs), {
      node: () => new PointwiseNode(this, inputs, null, dtype),
      write: () => this.compute(inputs, self.shape, dtype, self),
      finish: (node) => (node as PointwiseNode).saveResult(self),
    });
  }

  tracks(inputs: readonly (Tensor | number)[]): boolean {
    if (!isGradEnabled() || this.spec.derivative === 'not differentiable') return false;
    for (const input of inputs) if (typeof input === 'object' && input.needsGrad) return true;
    return false;
  }
}

function renumber(expr: Expr, positions: number[]): Expr {
  if (expr.kind === 'input') return Expr.input(positions.indexOf(expr.value), expr.isMask);
  if (expr.kind === 'constant') return expr;
  return Expr.apply(
    expr.kind,
    expr.operands.map((o) => renumber(o, positions)),
  );
}

class PointwiseNode extends Node {
  /** Values by input, where a derivative needs any. */
  private saved: (Saved | number | null)[] | null = null;
  private result: Saved | null = null;
  private needsResult = false;
  /** Shapes and dtypes of the inputs. */
  private readonly shapes: (Shape | null)[];
  private readonly dtypes: (DType | null)[] | null;

  constructor(
    private readonly op: Pointwise,
    inputs: readonly (Tensor | number)[],
    result: Tensor | null,
    private readonly dtype: DType,
  ) {
    super(op.nodeName, inputs);
    const shapes: (Shape | null)[] = [];
    let uniform = true;
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i];
      if (typeof input === 'number') {
        shapes.push(null);
        continue;
      }
      shapes.push(input.shape);
      if (input.dtype !== dtype) uniform = false;
      if (this.next[i] !== null && op.spec.derivative !== 'zero')
        this.save(op.gradient(i).operands, inputs, result === null);
    }
    this.shapes = shapes;
    this.dtypes = uniform ? null : inputs.map((input) => (typeof input === 'number' ? null : input.dtype));
    if (result !== null) this.saveResult(result);
  }

  private save(operands: readonly number[], inputs: readonly (Tensor | number)[], inPlace: boolean): void {
    for (const k of operands) {
      if (k === -1) {
        this.needsResult = true;
        continue;
      }
      this.saved ??= inputs.map(() => null);
      const operand = inputs[k];
      // In place the first operand is about to be overwritten, so a copy is kept, with its history.
      const lost = inPlace && typeof operand === 'object' && operand.storage === (inputs[0] as Tensor).storage;
      this.saved[k] ??= typeof operand === 'number' ? operand : new Saved(lost ? operand.clone() : operand, this.name);
    }
  }

  saveResult(result: Tensor): void {
    if (this.needsResult) this.result = new Saved(result, this.name);
  }

  apply([grad]: (Tensor | null)[], createGraph: boolean): (Tensor | null)[] {
    return this.next.map((next, i) => {
      if (next === null || grad === null) return null;
      const shape = this.shapes[i] as Shape;
      const dtype = this.dtypes?.[i] ?? this.dtype;
      if (this.op.spec.derivative === 'zero') return grad.newZeros(shape, { dtype });
      const gradient = this.op.gradient(i);
      const value = gradient.identity
        ? grad
        : createGraph
          ? this.asTensors(gradient, grad)
          : this.fused(gradient, grad);
      return fitTo(value, shape, dtype);
    });
  }

  private operand(k: number): Tensor | number {
    const saved = k === -1 ? this.result : (this.saved?.[k] ?? null);
    return saved instanceof Saved ? saved.get() : (saved as number);
  }

  private fused(gradient: Gradient, grad: Tensor): Tensor {
    const operands: (Tensor | number)[] = [grad];
    for (const k of gradient.operands) {
      const value = this.operand(k);
      operands.push(typeof value === 'number' ? scalarAddress(value, this.dtype) : castTo(value, this.dtype));
    }
    const out = resultFor(grad.shape, this.dtype, operands);
    launch(gradient.kernels[this.dtype === float32 ? 0 : 1], out, operands);
    return out;
  }

  /** The same formula over tensors, so that the gradient can be differentiated again. */
  private asTensors(gradient: Gradient, grad: Tensor): Tensor {
    const asTensor = (k: number): Tensor => {
      const value = this.operand(k);
      if (typeof value !== 'number') return value.to(this.dtype);
      const scalar = empty([], this.dtype);
      scalar.elements().array[scalar.elements().start] = value;
      return scalar;
    };
    const inputs: Tensor[] = [];
    for (const k of gradient.operands) if (k >= 0) inputs[k] = asTensor(k);
    const result = gradient.operands.includes(-1) ? asTensor(-1) : (undefined as never);
    return gradient.formula<Tensor>(grad, inputs, result);
  }

  override release(): void {
    for (const saved of this.saved ?? []) if (saved instanceof Saved) saved.release();
    this.result?.release();
  }
}

/** Undoes broadcasting and promotion: sums a gradient down to an input's shape and gives it its dtype. */
export function fitTo(grad: Tensor, shape: Shape, dtype: DType): Tensor {
  const summed = sameShape(grad.shape, shape) ? grad : grad.sumToSize(shape);
  return summed.dtype === dtype ? summed : summed.to(dtype);
}

function defaultSamples(spec: PointwiseSpec): Sample[] {
  const [low, high] = spec.domain ?? [-2, 2];
  const shapes = [[], [0], [5], [3, 4], [2, 3, 4]];
  if (spec.inputs === 1) return shapes.map((shape) => ({ args: [{ shape, low, high }] }));
  const [low2, high2] = spec.domain2 ?? [low, high];
  const pairs = [
    [[], []],
    [
      [3, 4],
      [3, 4],
    ],
    [[3, 4], [4]],
    [
      [2, 1, 4],
      [3, 1],
    ],
    [
      [0, 3],
      [1, 3],
    ],
    [[5], []],
    [[1], []],
  ];
  return [
    ...pairs.map(([a, b]) => ({
      args: [
        { shape: a, low, high },
        { shape: b, low: low2, high: high2 },
      ],
    })),
    { args: [{ shape: [3, 4], low, high }, { value: spec.domain2 === undefined ? 1.5 : (low2 + high2) / 2 }] },
  ];
}

function describeRecord(spec: PointwiseSpec, compute: readonly DType[]): OpRecord {
  return {
    name: spec.name,
    kind: 'pointwise',
    doc: spec.doc,
    torch: spec.torch,
    inplace: spec.inplace ?? true,
    differentiable: spec.derivative !== 'not differentiable',
    dtypes: spec.rule === 'float' ? allDtypes : compute,
    samples: [...(spec.samples ?? defaultSamples(spec)), ...(spec.moreSamples ?? [])],
    errors: spec.errors ?? [],
    tolerance: spec.tolerance,
    extension: spec.extension,
  };
}

/** Defines a pointwise op of one input. */
export function unary(spec: Omit<PointwiseSpec, 'inputs'>): ((self: Tensor) => Tensor) & { readonly record: OpRecord } {
  const full: PointwiseSpec = { ...spec, inputs: 1 };
  const op = new Pointwise(full);
  const call = (self: Tensor): Tensor => {
    if (!(self instanceof Tensor)) checkTensor(spec.name, 'input', self);
    return op.callUnary(self);
  };
  return attach(call, describeRecord(full, op.computeDtypes), (self: Tensor) => op.callInPlace([self]));
}

/** Defines a pointwise op of two inputs, the second of which may be a number. */
export function binary(
  spec: Omit<PointwiseSpec, 'inputs'>,
): ((self: Tensor, other: Tensor | number) => Tensor) & { readonly record: OpRecord } {
  const full: PointwiseSpec = { ...spec, inputs: 2 };
  const op = new Pointwise(full);
  const check = (self: Tensor, other: Tensor | number): void => {
    if (!(self instanceof Tensor) && !(typeof self === 'number' && (other as unknown) instanceof Tensor)) {
      checkTensor(spec.name, 'input', self);
    }
    if (typeof other !== 'number' && !(other instanceof Tensor)) checkOther(spec.name, other);
  };
  const call = (self: Tensor, other: Tensor | number): Tensor => {
    check(self, other);
    return op.callBinary(self, other);
  };
  const inPlace = (self: Tensor, other: Tensor | number): Tensor => {
    check(self, other);
    return op.callInPlace([self, other]);
  };
  return attach(call, describeRecord(full, op.computeDtypes), inPlace);
}

function checkOther(name: string, value: unknown): never {
  const got = value === null ? 'null' : typeof value === 'object' ? value.constructor?.name : typeof value;
  throw new TypeError(`${name}(): argument 'other' must be Tensor or Number, not ${got}`);
}
