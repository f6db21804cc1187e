import type { DType } from '../core/dtype.js';
import { NotImplementedError, RuntimeError } from '../core/errors.js';
import { closeScope, openScope } from '../core/storage.js';
import { isGradEnabled, Node, Saved, setGradMode } from '../core/tape.js';
import { Tensor } from '../core/tensor.js';

/** How samples for the generated tests are drawn; each entry is one call. */
export interface Sample {
  /** A list of numbers is a shape of a random tensor, `{ data, dtype }` a literal one; anything else is passed as it is. */
  args: readonly SampleArgument[];
}
export type SampleArgument =
  | { shape: readonly number[]; low?: number; high?: number; dtype?: string }
  | { data: unknown; dtype?: string }
  | { list: readonly SampleArgument[] }
  /** An options object, tensors among its values. */
  | { options: Readonly<Record<string, SampleArgument>> }
  | { value: unknown };

/** A call that must be refused, with a part of the message. */
export interface ErrorSample extends Sample {
  message: string;
}

/** What docs, methods and generated tests need to know of an op. Every op has exactly one. */
export interface OpRecord {
  readonly name: string;
  readonly kind: 'pointwise' | 'reduction' | 'view' | 'matmul' | 'composite' | 'copy' | 'index' | 'random';
  /** Formula or sentence, with its source where one is due. */
  readonly doc: string;
  /** Name in PyTorch where the rule of `camelCase` does not give it. */
  readonly torch?: string;
  /** Whether a method `name_` that writes into its first argument exists. */
  readonly inplace: boolean;
  readonly differentiable: boolean;
  /** Element types of the first argument that the op takes. */
  readonly dtypes: readonly DType[];
  readonly samples: readonly Sample[];
  readonly errors: readonly ErrorSample[];
  /** Calls taken here that PyTorch refuses by signature (a number where it wants a tensor, a `dim` left out), and why. */
  readonly extension?: string;
  /** The op reads memory by strides of its own, so the same values elsewhere in memory may give another result. */
  readonly readsMemory?: true;
  /** The method, where its arguments stand in another order than the function's. */
  readonly method?: (self: Tensor, ...args: never[]) => unknown;
  /** Why results may differ from PyTorch's by more than the table of tolerances allows, and by how much. */
  readonly tolerance?: { rtol: number; atol: number; reason: string };
}

type AnyFunction = (...args: never) => unknown;

/** An op: a function that carries its record. `Traits` lists what is derived from it beyond the function. */
export type Op<F extends AnyFunction, Traits extends 'inplace' = never, Method = unknown> = F & {
  readonly record: OpRecord;
  /** Type of the method where it is not the function without its first argument (overloads). */
  readonly methodType?: Method;
  /** The form that writes into its first argument, where there is one. */
  readonly inPlace?: AnyFunction;
  readonly traits?: Traits;
};

/** Names of all ops defined, in order of definition. */
export const records: OpRecord[] = [];

export function attach<F extends AnyFunction>(
  fn: F,
  record: OpRecord,
  inPlace?: AnyFunction,
): NoInfer<F> & { readonly record: OpRecord } {
  records.push(record);
  return Object.assign(fn, { record, inPlace: record.inplace ? inPlace : undefined });
}

/** How PyTorch names the node of an op: `add` gives `AddBackward0`, `logSoftmax` gives `LogSoftmaxBackward0`. */
export function nodeName(name: string): string {
  return `${name[0].toUpperCase()}${name.slice(1)}Backward0`;
}

/** Refuses what is not a tensor, in PyTorch's words. */
export function checkTensor(op: string, argument: string, value: unknown): asserts value is Tensor {
  if (!(value instanceof Tensor)) {
    const got =
      value === null ? 'null' : typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
    throw new TypeError(`${op}(): argument '${argument}' must be Tensor, not ${got}`);
  }
}

export function anyRequiresGrad(inputs: readonly unknown[]): boolean {
  if (!isGradEnabled()) return false;
  for (const input of inputs) if (input instanceof Tensor && input.requiresGrad) return true;
  return false;
}

/** Makes `result` the output of `node`. */
export function record(result: Tensor, node: Node, output = 0): Tensor {
  result.needsGrad = true;
  result.gradFn = node;
  result.outputNr = output;
  return result;
}

/** A tensor without memory that stands for an input whose value was not saved: its layout and dtype may be read. */
export class Unsaved {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;

  constructor(of: Tensor) {
    this.shape = of.shape;
    this.strides = of.strides;
    this.offset = of.offset;
    this.dtype = of.dtype;
  }
}

/** Derivative of one input: its gradient from that of the result. `args` holds the call's arguments as listed in `saves`. */
export type Derivative<Args extends readonly unknown[]> = (grad: Tensor, args: Args, result: Tensor) => Tensor;

/** Tensors that a forward leaves for its backward beyond arguments and result; passed to the op as an argument. */
export class Kept<Names extends string> {
  private values: Record<Names, Saved> | undefined;
  constructor(private readonly owner: string) {}

  set(tensors: Record<Names, Tensor>): void {
    const values = {} as Record<Names, Saved>;
    for (const name in tensors) values[name] = new Saved(tensors[name], this.owner);
    this.values = values;
  }

  get(): Record<Names, Tensor> {
    const out = {} as Record<Names, Tensor>;
    for (const name in this.values) out[name] = this.values[name].get();
    return out;
  }

  release(): void {
    for (const name in this.values) this.values[name].release();
  }
}

/** What a custom op states: everything that the kinds with their own builders (pointwise, reductions) derive. */
export interface OpSpec<F extends (...args: never) => Tensor> extends Partial<OpRecord> {
  name: string;
  kind: OpRecord['kind'];
  doc: string;
  dtypes: readonly DType[];
  /** Computes the result. Arguments come as called; it validates them before it changes anything. */
  forward: F;
  /** Positions of the arguments whose values backward reads; the others keep only shape and dtype. */
  saves?: readonly number[];
  savesResult?: boolean;
  /**
   * For each tensor argument by position: a derivative, 'not differentiable' (no gradient is asked of it), or
   * 'not implemented' (backward throws, naming the op).
   */
  derivative:
    | { [position: number]: Derivative<Parameters<F>> | 'not differentiable' | 'not implemented' }
    | 'not differentiable';
}

class CustomNode extends Node {
  private readonly values: unknown[];
  private readonly saved: Saved[] = [];
  private result: Saved | undefined;

  constructor(
    private readonly spec: OpSpec<(...args: never) => Tensor>,
    args: readonly unknown[],
    result: Tensor,
    tensors: readonly (Tensor | null)[],
  ) {
    super(nodeName(spec.name), tensors);
    this.values = args.map((value, i) => {
      if (!(value instanceof Tensor)) return value;
      if (!spec.saves?.includes(i)) return new Unsaved(value);
      const saved = new Saved(value, this.name);
      this.saved.push(saved);
      return saved;
    });
    if (spec.savesResult) this.result = new Saved(result, this.name);
  }

  apply([grad]: (Tensor | null)[]): (Tensor | null)[] {
    if (grad === null) return this.next.map(() => null);
    const args = this.values.map((v) => (v instanceof Saved ? v.get() : v)) as never[];
    const result = this.result?.get() as Tensor;
    return this.next.map((next, i) => {
      if (next === null) return null;
      const derivative = this.spec.derivative === 'not differentiable' ? undefined : this.spec.derivative[i];
      if (derivative === undefined || derivative === 'not differentiable') return null;
      if (derivative === 'not implemented') {
        throw new NotImplementedError(`derivative for ${this.spec.name} (argument ${i}) is not implemented`);
      }
      return (derivative as Derivative<never[]>)(grad, args, result);
    });
  }

  override release(): void {
    for (const saved of this.saved) saved.release();
    for (const value of this.values) if (value instanceof Kept) value.release();
    this.result?.release();
  }
}

/** Defines an op with a forward of its own. */
export function op<F extends (...args: never) => Tensor>(spec: OpSpec<F>): NoInfer<F> & { readonly record: OpRecord } {
  const positions = spec.derivative === 'not differentiable' ? [] : Object.keys(spec.derivative).map(Number);
  const tracked = positions.filter((p) => (spec.derivative as Record<number, unknown>)[p] !== 'not differentiable');
  const arity = tracked.length === 0 ? 0 : Math.max(...tracked) + 1;
  const run = (...args: unknown[]): Tensor => {
    if (arity === 0 || !isGradEnabled()) return spec.forward(...(args as never));
    let needed = false;
    for (const p of tracked) {
      const input = args[p];
      if (input instanceof Tensor && input.requiresGrad) needed = true;
    }
    if (!needed) return spec.forward(...(args as never));
    // The forward may call other ops; they leave no trace of their own.
    setGradMode(false);
    let result: Tensor;
    try {
      result = spec.forward(...(args as never));
    } finally {
      setGradMode(true);
    }
    if (result.dtype.category !== 'float') throw new RuntimeError(`Autograd not support dtype: ${result.dtype.title}`);
    const inputs = new Array<Tensor | null>(arity).fill(null);
    for (const p of tracked) if (args[p] instanceof Tensor) inputs[p] = args[p] as Tensor;
    return record(result, new CustomNode(spec as never, args, result, inputs));
  };
  return attach(run as unknown as F, {
    inplace: false,
    samples: [],
    errors: [],
    differentiable: tracked.length > 0,
    ...spec,
  });
}

/** Defines an op as a function over other ops: its gradient follows from theirs, its temporaries are freed at return. */
export function composite<F extends (...args: never) => Tensor>(
  spec: Partial<OpRecord> & { name: string; doc: string; dtypes: readonly DType[]; forward: F },
): NoInfer<F> & { readonly record: OpRecord } {
  const run = (...args: unknown[]): Tensor => {
    const mark = openScope();
    try {
      const result = spec.forward(...(args as never));
      result.storage.result = true;
      return result;
    } finally {
      closeScope(mark);
    }
  };
  return attach(run as unknown as F, {
    kind: 'composite',
    inplace: false,
    samples: [],
    errors: [],
    differentiable: true,
    ...spec,
  });
}

/** A node whose backward is a plain function of the gradient, for ops that record themselves. */
export class FunctionNode extends Node {
  constructor(
    name: string,
    inputs: readonly (Tensor | null)[],
    private readonly backward: (grad: Tensor) => (Tensor | null)[],
  ) {
    super(name, inputs);
  }

  apply([grad]: (Tensor | null)[]): (Tensor | null)[] {
    return grad === null ? this.next.map(() => null) : this.backward(grad);
  }
}
