import { enableGrad, noGrad } from '../autograd/modes.js';
import { RuntimeError, ValueError } from '../core/errors.js';
import { closeScope, openScope } from '../core/storage.js';
import { Tensor } from '../core/tensor.js';

export type ParamGroup<Options extends object> = Options & { params: Tensor[] };
/** What an optimizer takes: tensors, or groups with settings of their own. */
export type Params<Options extends object> =
  | Iterable<Tensor>
  | Iterable<Partial<Options> & { params: Iterable<Tensor> | Tensor }>;

/** Values that an optimizer keeps for a parameter, under PyTorch's keys. */
export type ParamState = Record<string, Tensor | number | null>;

/** State in PyTorch's layout: parameters by position, settings under PyTorch's spelling. */
export interface OptimizerStateDict {
  state: Record<number, ParamState>;
  param_groups: (Record<string, unknown> & { params: number[] })[];
}

const toSnake = (key: string) => key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
const toCamel = (key: string) => key.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());

/** Base of all optimizers: groups, state, `zeroGrad`, `step`. */
export abstract class Optimizer<Options extends object> {
  readonly paramGroups: ParamGroup<Options>[] = [];
  readonly state = new Map<Tensor, ParamState>();

  constructor(
    params: Params<Options>,
    readonly defaults: Options,
  ) {
    if (params instanceof Tensor) {
      throw new TypeError(
        'params argument given to the optimizer should be an iterable of Tensors or of groups, but got a Tensor',
      );
    }
    const list = [...(params as Iterable<Tensor | (Partial<Options> & { params: Iterable<Tensor> })>)];
    if (list.length === 0) throw new ValueError('optimizer got an empty parameter list');
    if (list[0] instanceof Tensor) this.addParamGroup({ params: list as Tensor[] } as never);
    else for (const group of list) this.addParamGroup(group as never);
  }

  /** Checks the settings of a group; called before any is added. */
  protected abstract checkGroup(group: Options): void;
  /** Updates the parameters of one group. */
  protected abstract update(group: ParamGroup<Options>): void;

  addParamGroup(group: Partial<Options> & { params: Iterable<Tensor> | Tensor }): void {
    const name = this.constructor.name;
    const params = group.params instanceof Tensor ? [group.params] : [...group.params];
    for (const key of Object.keys(group)) {
      if (key !== 'params' && !(key in this.defaults) && key !== 'initialLr' && key !== 'name') {
        throw new TypeError(
          `${name}: unexpected option '${key}' in a parameter group (known: ${Object.keys(this.defaults).join(', ')})`,
        );
      }
    }
    const taken = new Set(this.paramGroups.flatMap((g) => g.params));
    for (const param of params) {
      if (!(param instanceof Tensor))
        throw new TypeError(`optimizer can only optimize Tensors, but one of the params is ${typeof param}`);
      if (!param.isLeaf) throw new ValueError("can't optimize a non-leaf Tensor");
      if (taken.has(param)) throw new ValueError('some parameters appear in more than one parameter group');
    }
    const full = { ...this.defaults, ...group, params } as ParamGroup<Options>;
    this.checkGroup(full);
    this.paramGroups.push(full);
  }

  /** Forgets the gradients; with `setToNone: false` they become zeros instead. */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    const none = options.setToNone ?? true;
    for (const group of this.paramGroups) {
      for (const param of group.params) {
        if (none) param.replaceGradient(null);
        else if (param.gradient !== null) {
          const { gradient } = param;
          noGrad(() => gradient.detach().zero_());
        }
      }
    }
  }

  /** One update from the gradients; `closure` computes the loss again where the method needs it. */
  step(): undefined;
  step(closure: () => Tensor): Tensor;
  step(closure?: () => Tensor): Tensor | undefined {
    const loss = closure === undefined ? undefined : enableGrad(closure);
    const mark = openScope();
    try {
      noGrad(() => {
        for (const group of this.paramGroups) this.update(group);
      });
    } finally {
      closeScope(mark);
    }
    return loss;
  }

  protected stateOf(param: Tensor): ParamState {
    let state = this.state.get(param);
    if (state === undefined) {
      state = {};
      this.state.set(param, state);
    }
    return state;
  }

  stateDict(): OptimizerStateDict {
    const ids = new Map<Tensor, number>();
    const groups = this.paramGroups.map((group) => {
      const out: Record<string, unknown> = {};
      for (const [key, value] of Object.entries(group)) if (key !== 'params') out[toSnake(key)] = value;
      for (const param of group.params) if (!ids.has(param)) ids.set(param, ids.size);
      return { ...out, params: group.params.map((p) => ids.get(p) as number) };
    });
    const state: Record<number, ParamState> = {};
    for (const [param, values] of this.state) state[ids.get(param) as number] = { ...values };
    return { state, param_groups: groups };
  }

  loadStateDict(dict: OptimizerStateDict): void {
    if (dict.param_groups.length !== this.paramGroups.length) {
      throw new ValueError('loaded state dict has a different number of parameter groups');
    }
    dict.param_groups.forEach((group, i) => {
      if (group.params.length !== this.paramGroups[i].params.length) {
        throw new ValueError(
          "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
        );
      }
    });
    const byId = new Map<number, Tensor>();
    dict.param_groups.forEach((group, i) => {
      group.params.forEach((id, k) => {
        byId.set(id, this.paramGroups[i].params[k]);
      });
      for (const [key, value] of Object.entries(group)) {
        if (key !== 'params') (this.paramGroups[i] as Record<string, unknown>)[toCamel(key)] = value;
      }
    });
    this.state.clear();
    for (const [id, values] of Object.entries(dict.state)) {
      const param = byId.get(Number(id));
      if (param === undefined)
        throw new RuntimeError(`loaded state dict has state for parameter ${id}, which no group names`);
      const copy: ParamState = {};
      for (const [key, value] of Object.entries(values))
        copy[key] = value instanceof Tensor ? value.detach().clone() : value;
      this.state.set(param, copy);
    }
  }

  toString(): string {
    const lines = this.paramGroups.map((group, i) => {
      const { params: _, ...settings } = group;
      const rows = Object.entries(settings).sort(([a], [b]) => (toSnake(a) < toSnake(b) ? -1 : 1));
      return `Parameter Group ${i}\n${rows.map(([k, v]) => `    ${toSnake(k)}: ${pythonic(v)}\n`).join('')}`;
    });
    return `${this.constructor.name} (\n${lines.join('\n')})`;
  }
}

const pythonic = (v: unknown): string => {
  if (v === true) return 'True';
  if (v === false) return 'False';
  if (v === null || v === undefined) return 'None';
  return Array.isArray(v) ? `(${v.map(pythonic).join(', ')})` : String(v);
};

Object.defineProperty(Optimizer.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: Optimizer<object>) {
    return String(this);
  },
});
