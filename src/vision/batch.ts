import { outsideScopes } from '../core/storage.js';
import type { Tensor } from '../core/tensor.js';
import { isCurrent } from '../data/dataset.js';

export type BatchFunction = (images: Tensor) => Tensor;

/** Batch functions known to keep no tensor that they see: the memory of their inputs may be freed at once. */
export const frugal = new WeakSet<BatchFunction>();

/** How a transform works on whole batches, if it can. */
export function batchOf(transform: unknown): BatchFunction | undefined {
  if (typeof transform !== 'function' || !isCurrent(transform, 'batch', 'forward')) return undefined;
  const { batch } = transform as unknown as { batch: BatchFunction };
  if (frugal.has(batch)) return (images) => batch.call(transform, images);
  return (images) => {
    images.storage.reveal();
    return outsideScopes(() => batch.call(transform, images));
  };
}
