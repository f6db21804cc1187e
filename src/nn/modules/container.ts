import type { Tensor } from '../../core/tensor.js';
import { Module } from '../module.js';

/** A module of one tensor, which a chain is made of. */
type Step = Module & ((input: Tensor) => Tensor);

/**
 * Modules in a chain: each gets the output of the one before. `new Sequential(a, b)` names them 0, 1, ...;
 * `new Sequential({ fc: a, relu: b })` as said. `net[0]` is the first, `net.length` their number.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
 */
export class Sequential extends Module implements Iterable<Module> {
  [index: number]: Module;

  constructor(...modules: Module[] | [Record<string, Module>]) {
    super();
    const [first] = modules;
    const named = modules.length === 1 && !(first instanceof Module) && typeof first === 'object' && first !== null;
    const entries = named
      ? Object.entries(first as Record<string, Module>)
      : modules.map((m, i) => [String(i), m] as const);
    for (const [name, module] of entries) {
      if (!(module instanceof Module)) {
        const what = typeof module === 'function' ? `function ${(module as () => void).name}` : String(module);
        throw new TypeError(`${what} is not a Module subclass; wrap it in a class with forward()`);
      }
      this.registerModule(name as string, module as Module);
    }
    if (named) this.numbered(entries.map(([, m]) => m as Module));
  }

  /** `net[0]` for named members too, outside the list of fields. */
  private numbered(modules: Module[]): void {
    modules.forEach((value, i) => {
      Object.defineProperty(this, i, { value, enumerable: false, configurable: true, writable: true });
    });
  }

  override get length(): number {
    return [...this.namedChildren()].length;
  }

  [Symbol.iterator](): Iterator<Module> {
    return this.children();
  }

  forward(input: Tensor): Tensor {
    let out = input;
    for (const value of Object.values(this)) if (value instanceof Module) out = (value as Step)(out);
    return out;
  }
}
