import { callKernel, kernel } from '../backend/backend.js';
import { type DType, dtypes } from '../core/dtype.js';
import { NotImplementedError, RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';

/** The call of the matrix product kernel that all products share (frame: kernels/gemm.h). */

const gemmKernels = dtypes.map((d) => kernel(`gemm_${d.suffix}`));

function gemmFor(op: string, dtype: DType): number {
  if (dtype.name === 'bool') throw new NotImplementedError(`"${op}_impl_cpu" not implemented for 'Bool'`);
  return gemmKernels[dtype.index];
}

export function sameDtype(op: string, a: Tensor, b: Tensor): void {
  if (a.dtype !== b.dtype) {
    throw new RuntimeError(
      `${op}: expected m1 and m2 to have the same dtype, but got: ${cType(a.dtype)} != ${cType(b.dtype)}`,
    );
  }
}

const cTypes: Record<string, string> = {
  float32: 'float',
  float64: 'double',
  int64: 'long',
  int32: 'int',
  uint8: 'unsigned char',
  bool: 'bool',
};
const cType = (d: DType) => cTypes[d.name];

export const times = (a: Tensor, b: Tensor) => `${a.shape[0]}x${a.shape[1]} and ${b.shape[0]}x${b.shape[1]}`;

/** C = A B (+ bias) for matrices given by their last two dimensions. */
export function product(op: string, a: Tensor, b: Tensor, out: Tensor, bias?: Tensor): void {
  if (out.count === 0) return;
  const i = a.ndim - 2;
  const j = b.ndim - 2;
  callKernel(
    gemmFor(op, a.dtype),
    a.shape[i],
    b.shape[j + 1],
    a.shape[i + 1],
    a.address,
    a.strides[i],
    a.strides[i + 1],
    b.address,
    b.strides[j],
    b.strides[j + 1],
    out.address,
    out.strides[out.ndim - 2],
    1,
    0,
    bias === undefined ? 0 : bias.address,
    i === 1 ? a.shape[0] : 1,
    i === 1 ? a.strides[0] : 0,
    j === 1 ? b.strides[0] : 0,
    out.ndim === 3 ? out.strides[0] : 0,
  );
}
