import { type BackwardOptions, backward } from '../autograd/engine.js';
import { RuntimeError } from '../core/errors.js';
import { memoryTurn } from '../core/memory.js';
import { outsideScopes } from '../core/storage.js';
import { nodeOf } from '../core/tape.js';
import { Tensor } from '../core/tensor.js';
import * as ops from '../ops/index.js';
import * as methodOnly from '../ops/method-only.js';
import type { OpRecord } from '../ops/op.js';
import { type Index, index, indexPut_ } from './indexing.js';
import { item, type Nested, printed, tolist, toTypedArray } from './read.js';

/**
 * The methods of Tensor, derived from the op records: for each op `name` a method, and `name_` where the record has an
 * in-place form. Nothing is listed here by name but what is no op: backward, reading, hooks.
 */

type TraitsOf<O> = O extends { readonly traits?: infer T } ? Exclude<T, undefined> : never;
type Tail<F> = F extends (self: Tensor, ...rest: infer R) => infer Result ? (...rest: R) => Result : never;
type MethodOf<O> = O extends { readonly methodType?: infer M }
  ? unknown extends M
    ? Tail<O>
    : Exclude<M, undefined>
  : Tail<O>;
type IsOp<O> = O extends { readonly record: OpRecord } ? true : false;

type Methods<Family> = {
  [K in keyof Family as IsOp<Family[K]> extends true ? K : never]: MethodOf<Family[K]>;
};
type InPlaceMethods<Family> = {
  [K in keyof Family as IsOp<Family[K]> extends true
    ? 'inplace' extends TraitsOf<Family[K]>
      ? `${K & string}_`
      : never
    : never]: MethodOf<Family[K]>;
};

interface OpMethods extends Methods<typeof ops>, InPlaceMethods<typeof ops>, Methods<typeof methodOnly> {}

declare module '../core/tensor.js' {
  interface Tensor extends OpMethods {
    /** Adds the gradients of this tensor (a scalar, unless `gradient` is given) to the `.grad` of the leaves. */
    backward(gradient?: Tensor | null, options?: BackwardOptions): void;
    /** Keeps the gradient of a tensor that is no leaf in its `.grad`. */
    retainGrad(): void;
    /** Calls `hook` with each gradient of this tensor; what it returns replaces it. */
    registerHook(hook: (grad: Tensor) => Tensor | null | undefined): { remove(): void };
    /** The same memory outside the graph. */
    readonly data: Tensor;
    /** This tensor, transposed. */
    readonly T: Tensor;
    readonly mT: Tensor;
    item(): number;
    tolist(): Nested<number>;
    toTypedArray(): ReturnType<typeof toTypedArray>;
    toString(): string;
    /** On the CPU already: costs nothing. */
    cpu(): Promise<Tensor>;
    /** Elements by integers, slices, null, '...', masks and index tensors, as libtorch's `index`. */
    index(...indices: Index[]): Tensor;
    indexPut_(indices: readonly Index[], value: Tensor | number, options?: { accumulate?: boolean }): Tensor;
    [Symbol.iterator](): Iterator<Tensor>;
  }
}

type AnyFunction = (...args: unknown[]) => unknown;

function define(name: string, value: AnyFunction): void {
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
}

function install(name: string, fn: AnyFunction): void {
  define(name, function (this: Tensor, ...rest: unknown[]) {
    return rest.length === 0 ? fn(this) : rest.length === 1 ? fn(this, rest[0]) : fn(this, ...rest);
  });
}

for (const family of [ops, methodOnly]) {
  for (const [name, value] of Object.entries(family)) {
    if (typeof value !== 'function' || !('record' in value)) continue;
    const op = value as AnyFunction & { record: OpRecord; inPlace?: AnyFunction };
    install(name, (op.record.method as AnyFunction | undefined) ?? op);
    if (op.inPlace !== undefined) install(`${name}_`, op.inPlace);
  }
}

const methods: Record<string, (...args: never[]) => unknown> & ThisType<Tensor> = {
  backward(gradient?: Tensor | null, options?: BackwardOptions) {
    backward(this, gradient, options);
  },
  retainGrad() {
    if (!this.requiresGrad) throw new RuntimeError("can't retain_grad on Tensor that has requires_grad=False");
    if (this.isLeaf || this.gradRetained) return;
    this.gradRetained = true;
    addHook(this, (grad) => {
      this.replaceGradient(this.gradient === null ? grad : this.gradient.add(grad));
      return undefined;
    });
  },
  registerHook(hook: (grad: Tensor) => Tensor | null | undefined) {
    if (!this.requiresGrad) throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
    return addHook(this, hook);
  },
  item() {
    return item(this);
  },
  tolist() {
    return tolist(this);
  },
  toTypedArray() {
    return toTypedArray(this);
  },
  toString() {
    return printed(this);
  },
  async cpu() {
    await memoryTurn();
    return this;
  },
  index(...indices: Index[]) {
    return index(this, indices);
  },
  indexPut_(indices: readonly Index[], value: Tensor | number, options?: { accumulate?: boolean }) {
    return indexPut_(this, indices, value, options);
  },
};
for (const [name, fn] of Object.entries(methods)) define(name, fn as AnyFunction);

function addHook(tensor: Tensor, hook: (grad: Tensor) => Tensor | null | undefined): { remove(): void } {
  if (tensor.isLeaf) {
    tensor.hooks ??= [];
    const { hooks } = tensor;
    hooks.push(hook);
    return { remove: () => void hooks.splice(hooks.indexOf(hook), 1) };
  }
  const node = nodeOf(tensor);
  if (node === null) throw new RuntimeError('this tensor has no place in the graph');
  node.preHooks ??= [];
  const { preHooks } = node;
  const output = tensor.outputNr;
  const entry = (grads: (Tensor | null)[]): (Tensor | null)[] => {
    const grad = grads[output];
    if (grad === null) return grads;
    grad.storage.reveal();
    return grads.with(output, outsideScopes(() => hook(grad)) ?? grad);
  };
  preHooks.push(entry);
  return { remove: () => void preHooks.splice(preHooks.indexOf(entry), 1) };
}

Object.defineProperties(Tensor.prototype, {
  data: {
    get(this: Tensor) {
      return this.detach();
    },
  },
  T: {
    get(this: Tensor) {
      return this.permute(this.shape.map((_, d) => this.ndim - 1 - d));
    },
  },
  mT: {
    get(this: Tensor) {
      return this.transpose(-2, -1);
    },
  },
  [Symbol.iterator]: {
    *value(this: Tensor) {
      if (this.ndim === 0) throw new TypeError('iteration over a 0-d tensor');
      for (let i = 0; i < this.shape[0]; i++) yield this.select(0, i);
    },
  },
  // `console.log(tensor)` in Node prints as PyTorch does.
  [Symbol.for('nodejs.util.inspect.custom')]: {
    value(this: Tensor) {
      return String(this);
    },
  },
});
