import type { Tensor } from '../../core/tensor.js';
import { flatten } from '../../ops/index.js';
import { Module } from '../module.js';

/**
 * Joins dimensions startDim to endDim into one; the default keeps the first, the batch.
 *
 * Shape: input [*, S_start, ..., S_end, *], output [*, product of S, *].
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html
 */
export class Flatten extends Module {
  constructor(
    readonly startDim = 1,
    readonly endDim = -1,
  ) {
    super();
  }

  forward(input: Tensor): Tensor {
    return flatten(input, this.startDim, this.endDim);
  }

  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}
