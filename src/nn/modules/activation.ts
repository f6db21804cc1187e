import { checkOptions } from '../../core/errors.js';
import type { Tensor } from '../../core/tensor.js';
import { logSoftmax, relu, sigmoid, silu, softmax, tanh } from '../../ops/index.js';
import { Module } from '../module.js';

/**
 * max(0, x), element by element; the gradient at 0 is 0.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
 */
export class ReLU extends Module {
  readonly inplace: boolean;

  constructor(options?: { inplace?: boolean }) {
    super();
    checkOptions('ReLU', options, ['inplace']);
    this.inplace = options?.inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return this.inplace ? input.relu_() : relu(input);
  }

  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

/** 1 / (1 + exp(-x)), element by element. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html */
export class Sigmoid extends Module {
  forward(input: Tensor): Tensor {
    return sigmoid(input);
  }
}

/** x / (1 + exp(-x)), element by element. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html */
export class SiLU extends Module {
  forward(input: Tensor): Tensor {
    return silu(input);
  }
}

/** tanh(x), element by element. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html */
export class Tanh extends Module {
  forward(input: Tensor): Tensor {
    return tanh(input);
  }
}

function readDim(name: string, dim: number | { dim?: number } | undefined): number {
  if (typeof dim === 'number') return dim;
  checkOptions(name, dim, ['dim']);
  if (dim?.dim === undefined) throw new TypeError(`${name}: dim is required; write new nn.${name}(1) or { dim: 1 }`);
  return dim.dim;
}

/** exp(x_i) / sum_j exp(x_j) along dim. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html */
export class Softmax extends Module {
  readonly dim: number;

  constructor(dim: number | { dim?: number }) {
    super();
    this.dim = readDim('Softmax', dim);
  }

  forward(input: Tensor): Tensor {
    return softmax(input, this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** x_i - log(sum_j exp(x_j)) along dim. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html */
export class LogSoftmax extends Module {
  readonly dim: number;

  constructor(dim: number | { dim?: number }) {
    super();
    this.dim = readDim('LogSoftmax', dim);
  }

  forward(input: Tensor): Tensor {
    return logSoftmax(input, this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}
