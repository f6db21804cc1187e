import { checkOptions, ValueError } from '../core/errors.js';
import { empty, type Tensor } from '../core/tensor.js';
import { fillWith } from '../ops/iterate.js';
import { checkLayout, type Entry, fusedKernels, gradientOf, updateFused } from './fused.js';
import { Optimizer, type ParamGroup, type ParamState, type Params } from './optimizer.js';

export interface AdamOptions {
  /** Learning rate. Default: 1e-3. */
  lr?: number;
  /** Decay of the running averages of gradient and square. Default: [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  eps?: number;
  /** L2 penalty (Adam, default 0) or decoupled decay (AdamW, default 1e-2). */
  weightDecay?: number;
  /** Use the largest square average so far. */
  amsgrad?: boolean;
  maximize?: boolean;
}

type Settings = Required<AdamOptions>;
const kernelFor = fusedKernels('adam');
const settingsOf = (weightDecay: number): Settings => ({
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay,
  amsgrad: false,
  maximize: false,
});

/**
 * Adam: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr * mhat / (sqrt(vhat) + eps) with
 * mhat = m / (1 - b1^t), vhat = v / (1 - b2^t); weightDecay adds weightDecay * p to g.
 * Source: Kingma and Ba 2014, arXiv 1412.6980; https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html
 */
export class Adam extends Optimizer<Settings> {
  constructor(params: Params<Settings>, options?: AdamOptions) {
    const decay = new.target.prototype.decoupled ? 1e-2 : 0;
    checkOptions(new.target.name, options, Object.keys(settingsOf(0)));
    super(params, { ...settingsOf(decay), ...options });
  }

  /** Whether weight decay shrinks the parameter itself instead of entering the gradient. */
  protected get decoupled(): boolean {
    return false;
  }

  protected checkGroup(group: Settings): void {
    if (!(group.lr >= 0)) throw new ValueError(`Invalid learning rate: ${group.lr}`);
    if (!(group.eps >= 0)) throw new ValueError(`Invalid epsilon value: ${group.eps}`);
    group.betas.forEach((beta, i) => {
      if (!(beta >= 0 && beta < 1)) throw new ValueError(`Invalid beta parameter at index ${i}: ${beta}`);
    });
    if (!(group.weightDecay >= 0)) throw new ValueError(`Invalid weight_decay value: ${group.weightDecay}`);
  }

  protected update(group: ParamGroup<Settings>): void {
    const { lr, eps, weightDecay, amsgrad, maximize } = group;
    const [beta1, beta2] = group.betas;
    // Parameters may have joined at different steps; the bias corrections depend on the step.
    const batches = new Map<string, { key: number; step: number; entries: Entry[] }>();
    for (const param of group.params) {
      if (param.gradient === null) continue;
      checkLayout(this.constructor.name, param);
      const state = this.stateFor(param, amsgrad);
      const step = (state.step as number) + 1;
      state.step = step;
      const name = `${param.dtype.name} ${step}`;
      let batch = batches.get(name);
      if (batch === undefined) {
        batch = { key: kernelFor(param.dtype), step, entries: [] };
        batches.set(name, batch);
      }
      const max = amsgrad ? (state.max_exp_avg_sq as Tensor) : null;
      batch.entries.push({
        param,
        tensors: [gradientOf(param), state.exp_avg as Tensor, state.exp_avg_sq as Tensor, max],
      });
    }
    for (const { key, step, entries } of batches.values()) {
      const corrections = [1 - beta1 ** step, Math.sqrt(1 - beta2 ** step)];
      const flags = [Number(this.decoupled), Number(amsgrad), Number(maximize)];
      updateFused(key, [lr, beta1, beta2, eps, weightDecay, ...flags, ...corrections], entries);
    }
  }

  private stateFor(param: Tensor, amsgrad: boolean): ParamState {
    const state = this.stateOf(param);
    if (state.step === undefined) {
      state.step = 0;
      state.exp_avg = zerosOf(param);
      state.exp_avg_sq = zerosOf(param);
    }
    if (amsgrad && !state.max_exp_avg_sq) state.max_exp_avg_sq = zerosOf(param);
    return state;
  }
}

function zerosOf(param: Tensor): Tensor {
  const out = empty(param.shape, param.dtype);
  fillWith(out, 0);
  out.storage.reveal();
  return out;
}

/**
 * Adam with decoupled weight decay: p -= lr * weightDecay * p before the update (default weightDecay 1e-2).
 * Source: Loshchilov and Hutter 2017, arXiv 1711.05101; https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 */
export class AdamW extends Adam {
  protected override get decoupled(): boolean {
    return true;
  }
}
