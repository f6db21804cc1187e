import { NotImplementedError, RuntimeError } from '../core/errors.js';
import { isGradEnabled, type Node } from '../core/tape.js';
import type { Tensor } from '../core/tensor.js';

/** The three steps of an in-place op, in the order that keeps saved values right. */
export interface InPlaceSteps {
  /** The node, made before the write so that it sees the old history and the old version. */
  node: () => Node;
  write: () => void;
  /** Called after the write, for values saved from the result. */
  finish?: (node: Node) => void;
}

/** Refuses in-place changes that autograd cannot follow, before anything is written. */
export function checkMutable(name: string, self: Tensor, tracked: boolean): void {
  if (!isGradEnabled()) return;
  if (self.requiresGrad && self.isLeaf) {
    throw new RuntimeError('a leaf Variable that requires grad is being used in an in-place operation.');
  }
  if (self.base !== null && self.base.requiresGrad && self.base.isLeaf) {
    throw new RuntimeError('a view of a leaf Variable that requires grad is being used in an in-place operation.');
  }
  if (self.base !== null && (tracked || self.base.requiresGrad)) {
    throw new NotImplementedError(`${name}(): changing a view in place is not implemented where autograd records it; work on a clone()`);
  }
}

/** Carries out an in-place op: checks, node, write, new version, new history. */
export function rebase(
  name: string,
  self: Tensor,
  _inputs: readonly (Tensor | number)[],
  tracked: boolean,
  steps: InPlaceSteps,
): Tensor {
  checkMutable(name, self, tracked);
  const node = tracked ? steps.node() : undefined;
  steps.write();
  self.storage.version++;
  if (node !== undefined) {
    self.needsGrad = true;
    self.gradFn = node;
    self.outputNr = 0;
    self.historyVersion++;
    steps.finish?.(node);
  }
  return self;
}
