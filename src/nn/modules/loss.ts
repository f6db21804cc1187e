import { checkOptions } from '../../core/errors.js';
import type { Tensor } from '../../core/tensor.js';
import {
  type CrossEntropyOptions,
  crossEntropy,
  type NllOptions,
  nllLoss,
  type ReductionName,
} from '../../ops/functional.js';
import { reductionCode } from '../../ops/loss.js';
import { Module } from '../module.js';

/**
 * Cross entropy between logits and classes (int64 indices, or probabilities of the input's shape):
 * l_n = -w_{y_n} log softmax(x_n)[y_n]; `mean` divides by the sum of the weights used.
 *
 * Options: weight [C], ignoreIndex (-100), reduction ('mean'), labelSmoothing (0).
 * Shape: input [N, C] or [C] or [N, C, d1, ...], target [N] or [] or [N, d1, ...].
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends Module {
  readonly ignoreIndex: number;
  readonly reduction: ReductionName;
  readonly labelSmoothing: number;
  declare weight?: Tensor;

  constructor(options?: CrossEntropyOptions) {
    super();
    checkOptions('CrossEntropyLoss', options, ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing']);
    this.ignoreIndex = options?.ignoreIndex ?? -100;
    this.reduction = options?.reduction ?? 'mean';
    this.labelSmoothing = options?.labelSmoothing ?? 0;
    reductionCode(this.reduction);
    if (options?.weight) this.registerBuffer('weight', options.weight);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return crossEntropy(input, target, { weight, ignoreIndex, reduction, labelSmoothing });
  }
}

/**
 * Negative log likelihood of classes given log-probabilities: l_n = -w_{y_n} x_n[y_n].
 * Options and shapes as {@link CrossEntropyLoss}, without labelSmoothing.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss extends Module {
  readonly ignoreIndex: number;
  readonly reduction: ReductionName;
  declare weight?: Tensor;

  constructor(options?: NllOptions) {
    super();
    checkOptions('NLLLoss', options, ['weight', 'ignoreIndex', 'reduction']);
    this.ignoreIndex = options?.ignoreIndex ?? -100;
    this.reduction = options?.reduction ?? 'mean';
    reductionCode(this.reduction);
    if (options?.weight) this.registerBuffer('weight', options.weight);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss(input, target, { weight: this.weight, ignoreIndex: this.ignoreIndex, reduction: this.reduction });
  }
}
