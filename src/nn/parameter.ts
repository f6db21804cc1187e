import { RuntimeError } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';
import { formatParameter } from '../tensor/format.js';
import { printable } from '../tensor/read.js';

/** A tensor that a module learns: assigned to a field of a module it is among its parameters. */
export class Parameter extends Tensor {
  constructor(data: Tensor, requiresGrad = true) {
    if (!(data instanceof Tensor))
      throw new TypeError(`Parameter(): argument 'data' must be Tensor, not ${typeof data}`);
    super(data.storage, data.shape, data.strides, data.offset, data.dtype);
    if (requiresGrad && data.dtype.category !== 'float') {
      throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients');
    }
    this.needsGrad = requiresGrad;
  }
}

Object.defineProperty(Parameter.prototype, 'toString', {
  value(this: Parameter) {
    return formatParameter(printable(this));
  },
  writable: true,
  configurable: true,
});
