import { RuntimeError } from '../core/errors.js';
import { isGradEnabled, type Node } from '../core/tape.js';
import type { Tensor } from '../core/tensor.js';
import { CopySlices } from './strided.js';

/** The three steps of an in-place op, in the order that keeps saved values right. */
export interface InPlaceSteps {
  /** The node, made before the write so that it sees the old history and the old version. */
  node: () => Node;
  write: () => void;
  /** Called after the write, for values saved from the result. */
  finish?: (node: Node) => void;
}

/** Refuses in-place changes that autograd cannot follow, before anything is written. */
export function checkMutable(self: Tensor): void {
  if (!isGradEnabled()) return;
  if (self.requiresGrad && self.isLeaf) {
    throw new RuntimeError('a leaf Variable that requires grad is being used in an in-place operation.');
  }
  if (self.base?.requiresGrad && self.base.isLeaf) {
    throw new RuntimeError('a view of a leaf Variable that requires grad is being used in an in-place operation.');
  }
}

/** Carries out an in-place op: checks, node, write, new version, new history. */
export function rebase(self: Tensor, tracked: boolean, steps: InPlaceSteps): Tensor {
  checkMutable(self);
  const node = tracked ? steps.node() : undefined;
  steps.write();
  self.storage.version++;
  if (node === undefined) return self;
  if (self.base === null) {
    self.needsGrad = true;
    self.gradFn = node;
    self.outputNr = 0;
    self.historyVersion++;
  } else {
    // The base gets a history in which the view's part comes from the op; views of it follow when next asked.
    const { base } = self;
    base.gradFn = new CopySlices(base, self, node);
    base.needsGrad = true;
    base.outputNr = 0;
    base.historyVersion++;
  }
  steps.finish?.(node);
  return self;
}
