import { checkOptions, ValueError } from '../core/errors.js';
import { empty, type Tensor } from '../core/tensor.js';
import { checkLayout, type Entry, fusedKernels, gradientOf, updateFused } from './fused.js';
import { Optimizer, type ParamGroup, type Params } from './optimizer.js';

export interface SGDOptions {
  /** Learning rate. Default: 1e-3. */
  lr?: number;
  /** Default: 0. */
  momentum?: number;
  /** Dampening of momentum. Default: 0. */
  dampening?: number;
  /** L2 penalty. Default: 0. */
  weightDecay?: number;
  nesterov?: boolean;
  /** Maximise instead of minimise. */
  maximize?: boolean;
}

const defaults: Required<SGDOptions> = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
};
const kernelFor = fusedKernels('sgd');

/**
 * Stochastic gradient descent: g += weightDecay * p; b = momentum * b + (1 - dampening) * g (b = g at first);
 * p -= lr * b, or with nesterov p -= lr * (g + momentum * b).
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
 */
export class SGD extends Optimizer<Required<SGDOptions>> {
  constructor(params: Params<Required<SGDOptions>>, options?: SGDOptions) {
    checkOptions('SGD', options, Object.keys(defaults));
    super(params, { ...defaults, ...options });
  }

  protected checkGroup(group: Required<SGDOptions>): void {
    if (!(group.lr >= 0)) throw new ValueError(`Invalid learning rate: ${group.lr}`);
    if (!(group.momentum >= 0)) throw new ValueError(`Invalid momentum value: ${group.momentum}`);
    if (!(group.weightDecay >= 0)) throw new ValueError(`Invalid weight_decay value: ${group.weightDecay}`);
    if (group.nesterov && (group.momentum <= 0 || group.dampening !== 0)) {
      throw new ValueError('Nesterov momentum requires a momentum and zero dampening');
    }
  }

  protected update(group: ParamGroup<Required<SGDOptions>>): void {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    // Parameters whose buffer is new start from the gradient; they need another setting of the kernel.
    const batches = new Map<string, { key: number; first: boolean; entries: Entry[] }>();
    for (const param of group.params) {
      if (param.gradient === null) continue;
      checkLayout('SGD', param);
      const { buffer, first } = momentum === 0 ? { buffer: null, first: false } : this.bufferOf(param);
      const name = `${param.dtype.name} ${first}`;
      let batch = batches.get(name);
      if (batch === undefined) {
        batch = { key: kernelFor(param.dtype), first, entries: [] };
        batches.set(name, batch);
      }
      batch.entries.push({ param, tensors: [gradientOf(param), buffer] });
    }
    for (const { key, first, entries } of batches.values()) {
      updateFused(
        key,
        [lr, momentum, dampening, weightDecay, Number(nesterov), Number(maximize), Number(first)],
        entries,
      );
    }
  }

  private bufferOf(param: Tensor): { buffer: Tensor; first: boolean } {
    const state = this.stateOf(param);
    if (state.momentum_buffer) return { buffer: state.momentum_buffer as Tensor, first: false };
    const buffer = empty(param.shape, param.dtype);
    buffer.storage.reveal();
    state.momentum_buffer = buffer;
    return { buffer, first: true };
  }
}
