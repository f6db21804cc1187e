import { type DTypeLike, getDefaultDtype, toDType } from '../../core/dtype.js';
import { checkOptions } from '../../core/errors.js';
import { empty, type Tensor } from '../../core/tensor.js';
import { linear } from '../../ops/functional.js';
import { pyRepr } from '../format.js';
import { fanInBound, kaimingUniform_, uniform_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';

export interface LinearOptions {
  /** Learn an additive bias. Default: true. */
  bias?: boolean;
  dtype?: DTypeLike;
}

/**
 * y = x A^T + b
 *
 * @param inFeatures size of each input sample
 * @param outFeatures size of each output sample
 *
 * Shape: input [*, inFeatures], output [*, outFeatures].
 * `weight` [outFeatures, inFeatures] and `bias` [outFeatures] start from U(-k, k), k = 1 / sqrt(inFeatures).
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    super();
    checkOptions('Linear', options, ['bias', 'dtype']);
    const dtype = options?.dtype === undefined ? getDefaultDtype() : toDType(options.dtype);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(empty([outFeatures, inFeatures], dtype));
    this.bias = (options?.bias ?? true) ? new Parameter(empty([outFeatures], dtype)) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias !== null) {
      const bound = fanInBound(this.weight);
      uniform_(this.bias, -bound, bound);
    }
  }

  forward(input: Tensor): Tensor {
    return linear(input, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${pyRepr(this.bias !== null)}`;
  }
}

/** Gives its input back. Arguments are accepted and ignored. */
export class Identity extends Module {
  forward(input: Tensor): Tensor {
    return input;
  }
}
