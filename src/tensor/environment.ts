import { backend } from '../backend/backend.js';
import { Device } from '../core/device.js';
import { closeScope, openScope } from '../core/storage.js';
import { Tensor } from '../core/tensor.js';

/** Devices, threads, version, and early release of memory. */

export const version = '0.1.0';

/** A device by name. */
export function device(name: string | Device): Device {
  return Device.from(name);
}

/** There is no CUDA here; programs that ask fall back to the CPU. */
export const cuda = { isAvailable: (): boolean => false };

/** What runs the kernels, such as `native avx512` or `wasm relaxed simd`. */
export function backendName(): string {
  return backend().description;
}

/** Largest number of threads that a kernel may use. */
export function getNumThreads(): number {
  return backend().getThreads();
}

export function setNumThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`set_num_threads expects a positive integer, got ${count}`);
  backend().setThreads(count);
}

/** Runs `body` and gives back at once the memory of all tensors made in it, but for those it returns. Never needed. */
export function tidy<R>(body: () => R): R {
  const mark = openScope();
  try {
    const result = body();
    keep(result);
    return result;
  } finally {
    closeScope(mark);
  }
}

/** Marks the tensors of a result, inside lists and plain objects too. */
function keep(value: unknown): void {
  if (value instanceof Tensor) value.storage.result = true;
  else if (Array.isArray(value)) value.forEach(keep);
  else if (typeof value === 'object' && value !== null && !(Symbol.asyncIterator in value))
    Object.values(value).forEach(keep);
}
