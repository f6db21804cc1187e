import { noGrad } from '../autograd/modes.js';
import type { Device } from '../core/device.js';
import { type DType, type DTypeLike, toDType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { sameShape, showShape } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import { moduleToString } from './format.js';
import { Parameter } from './parameter.js';

/** State by name, in PyTorch's keys; has no prototype, so that no key can touch one. */
export type StateDict = Record<string, Tensor>;

type ForwardPreHook = (module: Module, args: readonly unknown[]) => readonly unknown[] | unknown | undefined;
type ForwardHook = (module: Module, args: readonly unknown[], output: unknown) => unknown;

/** What PyTorch keeps in underscored attributes: not fields of the user's, so not enumerable. */
interface Internals {
  training: boolean;
  buffers: Map<string, boolean>;
  preHooks: Set<ForwardPreHook>;
  hooks: Set<ForwardHook>;
}

const internals = new WeakMap<object, Internals>();
const of = (module: Module): Internals => internals.get(module) as Internals;

/** Modules are called like functions: hooks, then `forward`. */
export interface Module {
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
}

/**
 * Base of all layers and models. Fields that hold a {@link Parameter} or a module register themselves under their name,
 * in order; `forward` computes. Instances are callable: `model(x)`.
 */
export abstract class Module {
  constructor() {
    const call = (...args: unknown[]): unknown => invoke(call as unknown as Module, args);
    Object.setPrototypeOf(call, new.target.prototype);
    // A function's own name and length would hide fields of these names.
    Reflect.deleteProperty(call, 'name');
    Reflect.deleteProperty(call, 'length');
    internals.set(call, { training: true, buffers: new Map(), preHooks: new Set(), hooks: new Set() });
    // biome-ignore lint/correctness/noConstructorReturn: the returned function is what makes instances callable
    return call as unknown as this;
  }

  /** Computes the output; subclasses give it its types. */
  abstract forward(...args: never[]): unknown;

  /** True between `train()` and `eval()`: layers such as dropout behave differently then. */
  get training(): boolean {
    return of(this).training;
  }

  set training(value: boolean) {
    of(this).training = value;
  }

  /** What stands between the brackets in the printed form. */
  extraRepr(): string {
    return '';
  }

  toString(): string {
    return moduleToString(
      this.constructor.name,
      this.extraRepr(),
      [...this.namedChildren()].map(([n, m]) => [n, String(m)]),
    );
  }

  /** Own parameters and buffers, by name. */
  private *ownTensors(): Generator<[string, Tensor, 'parameter' | 'buffer' | 'hidden buffer']> {
    const { buffers } = of(this);
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Parameter) yield [name, value, 'parameter'];
      else if (value instanceof Tensor && buffers.has(name)) {
        yield [name, value, buffers.get(name) ? 'buffer' : 'hidden buffer'];
      }
    }
  }

  /** Direct sub-modules with their names. */
  *namedChildren(): Generator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module && !seen.has(value)) {
        seen.add(value);
        yield [name, value];
      }
    }
  }

  *children(): Generator<Module> {
    for (const [, child] of this.namedChildren()) yield child;
  }

  /** This module and all below it, with dotted names; each once. */
  *namedModules(prefix = '', seen: Set<Module> = new Set()): Generator<[string, Module]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) {
      yield* child.namedModules(prefix === '' ? name : `${prefix}.${name}`, seen);
    }
  }

  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** Parameters with dotted names; a shared one once, under its first name. */
  *namedParameters(): Generator<[string, Parameter]> {
    const seen = new Set<Tensor>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value, kind] of module.ownTensors()) {
        if (kind !== 'parameter' || seen.has(value)) continue;
        seen.add(value);
        yield [prefix === '' ? name : `${prefix}.${name}`, value as Parameter];
      }
    }
  }

  *parameters(): Generator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** Buffers with dotted names. */
  *namedBuffers(): Generator<[string, Tensor]> {
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value, kind] of module.ownTensors()) {
        if (kind !== 'parameter') yield [prefix === '' ? name : `${prefix}.${name}`, value];
      }
    }
  }

  *buffers(): Generator<Tensor> {
    for (const [, buffer] of this.namedBuffers()) yield buffer;
  }

  private setField(name: string, value: unknown): void {
    if (name === '' || name.includes('.'))
      throw new RuntimeError(`parameter, buffer or module name can't be empty or contain ".", got '${name}'`);
    Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
  }

  /** State that is saved and moved with the module but not learned. */
  registerBuffer(name: string, tensor: Tensor, options?: { persistent?: boolean }): void {
    this.setField(name, tensor);
    of(this).buffers.set(name, options?.persistent ?? true);
  }

  registerParameter(name: string, parameter: Parameter | null): void {
    this.setField(name, parameter);
  }

  registerModule(name: string, module: Module): void {
    this.setField(name, module);
  }

  /** Calls `fn` on every module below this one and then on this one. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = requiresGrad;
    return this;
  }

  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.replaceGradient(null);
  }

  /** Moves to a device, or converts floating point parameters and buffers to a dtype. */
  to(target: string | Device | DTypeLike): this {
    const dtype = typeof target === 'object' && 'category' in target ? toDType(target as DType) : undefined;
    const name = typeof target === 'string' && /^(float|double)/.test(target) ? toDType(target as DTypeLike) : dtype;
    if (name !== undefined) this.convert(name);
    else for (const parameter of this.parameters()) parameter.to(target as Device);
    return this;
  }

  double(): this {
    return this.to('float64');
  }

  float(): this {
    return this.to('float32');
  }

  private convert(dtype: DType): void {
    for (const module of this.modules()) {
      for (const [name, value, kind] of module.ownTensors()) {
        if (!value.isFloatingPoint() || value.dtype === dtype) continue;
        const converted = value.detach().to(dtype);
        module.setField(name, kind === 'parameter' ? new Parameter(converted, value.requiresGrad) : converted);
      }
    }
  }

  /** Parameters and persistent buffers under PyTorch's keys. They share memory with the module. */
  stateDict(prefix = ''): StateDict {
    const state: StateDict = Object.create(null);
    const collect = (module: Module, at: string): void => {
      const own = [...module.ownTensors()];
      for (const wanted of ['parameter', 'buffer']) {
        for (const [name, value, kind] of own) if (kind === wanted) state[`${at}${name}`] = value.detach();
      }
      for (const [name, value] of Object.entries(module)) {
        if (value instanceof Module) collect(value, `${at}${name}.`);
      }
    };
    collect(this, prefix);
    return state;
  }

  /** Copies values in. With `strict` (the default) the keys must match exactly; errors list all that does not fit. */
  loadStateDict(
    state: Readonly<StateDict>,
    options?: { strict?: boolean },
  ): { missingKeys: string[]; unexpectedKeys: string[] } {
    const own = this.stateDict();
    const missingKeys = Object.keys(own).filter((key) => !Object.hasOwn(state, key));
    const unexpectedKeys = Object.keys(state).filter((key) => !(key in own));
    const problems: string[] = [];
    const list = (keys: string[]) => keys.map((key) => `"${key}"`).join(', ');
    if (options?.strict ?? true) {
      if (unexpectedKeys.length > 0) problems.push(`Unexpected key(s) in state_dict: ${list(unexpectedKeys)}. `);
      if (missingKeys.length > 0) problems.push(`Missing key(s) in state_dict: ${list(missingKeys)}. `);
    }
    for (const key of Object.keys(own)) {
      if (!Object.hasOwn(state, key) || sameShape(own[key].shape, state[key].shape)) continue;
      problems.push(
        `size mismatch for ${key}: copying a param with shape torch.Size(${showShape(state[key].shape)}) from checkpoint, the shape in current model is torch.Size(${showShape(own[key].shape)}).`,
      );
    }
    if (problems.length > 0) {
      throw new RuntimeError(
        `Error(s) in loading state_dict for ${this.constructor.name}:\n\t${problems.join('\n\t')}`,
      );
    }
    noGrad(() => {
      for (const key of Object.keys(own)) if (Object.hasOwn(state, key)) own[key].copy_(state[key]);
    });
    return { missingKeys, unexpectedKeys };
  }

  /** Calls `hook(module, args)` before `forward`; what it returns replaces the arguments. */
  registerForwardPreHook(hook: ForwardPreHook): { remove(): void } {
    const { preHooks } = of(this);
    preHooks.add(hook);
    return { remove: () => void preHooks.delete(hook) };
  }

  /** Calls `hook(module, args, output)` after `forward`; what it returns replaces the output. */
  registerForwardHook(hook: ForwardHook): { remove(): void } {
    const { hooks } = of(this);
    hooks.add(hook);
    return { remove: () => void hooks.delete(hook) };
  }
}

Object.defineProperty(Module.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: Module) {
    return String(this);
  },
});

function invoke(module: Module, given: unknown[]): unknown {
  const { preHooks, hooks } = of(module);
  if (preHooks.size === 0 && hooks.size === 0) return module.forward(...(given as never[]));
  let args: readonly unknown[] = given;
  for (const hook of preHooks) {
    const changed = hook(module, args);
    if (changed !== undefined) args = Array.isArray(changed) ? changed : [changed];
  }
  let output = module.forward(...(args as never[]));
  for (const hook of hooks) output = hook(module, args, output) ?? output;
  return output;
}
