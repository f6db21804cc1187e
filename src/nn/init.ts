import { noGrad } from '../autograd/modes.js';
import { checkOptions, ValueError } from '../core/errors.js';
import type { Generator } from '../core/generator.js';
import { numelOf } from '../core/shape.js';
import type { Tensor } from '../core/tensor.js';

/** Filling parameters with start values (torch.nn.init). All work in place and return the tensor. */

export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu';

/** Recommended gain: 1 for linear layers and sigmoid, 5/3 for tanh, sqrt(2) for ReLU, sqrt(2 / (1 + a^2)) for leaky ReLU, 3/4 for SELU. */
export function calculateGain(nonlinearity: Nonlinearity, param?: number): number {
  switch (nonlinearity) {
    case 'linear':
    case 'conv1d':
    case 'conv2d':
    case 'conv3d':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.sqrt(2);
    case 'leaky_relu':
      return Math.sqrt(2 / (1 + (param ?? 0.01) ** 2));
    case 'selu':
      return 3 / 4;
    default:
      throw new ValueError(`Unsupported nonlinearity ${String(nonlinearity)}`);
  }
}

function fans(tensor: Tensor): { fanIn: number; fanOut: number } {
  if (tensor.ndim < 2)
    throw new ValueError('Fan in and fan out can not be computed for tensor with fewer than 2 dimensions');
  const field = numelOf(tensor.shape.slice(2));
  return { fanIn: tensor.shape[1] * field, fanOut: tensor.shape[0] * field };
}

/** 1 / sqrt(fan in): the bound of the default bias of linear and convolution layers. */
export function fanInBound(weight: Tensor): number {
  const { fanIn } = fans(weight);
  return fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
}

interface InitOptions {
  generator?: Generator | null;
}

/** Numbers from U(a, b). */
export function uniform_<T extends Tensor>(tensor: T, a = 0, b = 1, options?: InitOptions): T {
  noGrad(() => tensor.uniform_(a, b, options));
  return tensor;
}

/** Numbers from N(mean, std^2). */
export function normal_<T extends Tensor>(tensor: T, mean = 0, std = 1, options?: InitOptions): T {
  noGrad(() => tensor.normal_(mean, std, options));
  return tensor;
}

/** `value` everywhere. */
export function constant_<T extends Tensor>(tensor: T, value: number): T {
  noGrad(() => tensor.fill_(value));
  return tensor;
}

export function zeros_<T extends Tensor>(tensor: T): T {
  return constant_(tensor, 0);
}

export function ones_<T extends Tensor>(tensor: T): T {
  return constant_(tensor, 1);
}

export interface KaimingOptions extends InitOptions {
  /** Slope of the leaky ReLU behind the layer. Default: 0. */
  a?: number;
  mode?: 'fan_in' | 'fan_out';
  nonlinearity?: Nonlinearity;
}

function kaimingStd(op: string, tensor: Tensor, options: KaimingOptions | undefined): number {
  checkOptions(op, options, ['a', 'mode', 'nonlinearity', 'generator']);
  const mode = options?.mode ?? 'fan_in';
  if (mode !== 'fan_in' && mode !== 'fan_out')
    throw new ValueError(`Mode ${String(mode)} not supported, please use one of ['fan_in', 'fan_out']`);
  const { fanIn, fanOut } = fans(tensor);
  return (
    calculateGain(options?.nonlinearity ?? 'leaky_relu', options?.a ?? 0) /
    Math.sqrt(mode === 'fan_in' ? fanIn : fanOut)
  );
}

/** He initialisation from U(-b, b), b = gain * sqrt(3 / fan). Source: He et al. 2015, arXiv 1502.01852. */
export function kaimingUniform_<T extends Tensor>(tensor: T, options?: KaimingOptions): T {
  if (tensor.shape.includes(0)) return tensor;
  const bound = Math.sqrt(3) * kaimingStd('kaimingUniform_', tensor, options);
  return uniform_(tensor, -bound, bound, { generator: options?.generator });
}

/** He initialisation from N(0, gain^2 / fan). Source: He et al. 2015, arXiv 1502.01852. */
export function kaimingNormal_<T extends Tensor>(tensor: T, options?: KaimingOptions): T {
  if (tensor.shape.includes(0)) return tensor;
  return normal_(tensor, 0, kaimingStd('kaimingNormal_', tensor, options), { generator: options?.generator });
}

/** Glorot initialisation from U(-b, b), b = gain * sqrt(6 / (fan in + fan out)). Source: Glorot and Bengio 2010. */
export function xavierUniform_<T extends Tensor>(tensor: T, gain = 1, options?: InitOptions): T {
  const { fanIn, fanOut } = fans(tensor);
  const bound = Math.sqrt(3) * gain * Math.sqrt(2 / (fanIn + fanOut));
  return uniform_(tensor, -bound, bound, options);
}

/** Glorot initialisation from N(0, 2 gain^2 / (fan in + fan out)). Source: Glorot and Bengio 2010. */
export function xavierNormal_<T extends Tensor>(tensor: T, gain = 1, options?: InitOptions): T {
  const { fanIn, fanOut } = fans(tensor);
  return normal_(tensor, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), options);
}
