import { RuntimeError } from './errors.js';
import type { Tensor } from './tensor.js';

let sequence = 0;

/**
 * The tape: each op on tensors that require grad leaves a node that knows the nodes of its inputs and how to turn the
 * gradient of its output into those of its inputs. `autograd/engine.ts` walks the nodes.
 */
export abstract class Node {
  /** Nodes made later have larger numbers, leaves have 0, so falling order is an order of backward. */
  readonly sequence: number;
  /** For each input the node its gradient goes to, or null. */
  readonly next: (Node | null)[];
  /** For each input which output of that node it is; a missing entry means the first. */
  nextOutput: number[];
  /** Shape and dtype of each output, for gradients that never arrive. */
  outputs = 1;
  /** Functions that see (and may replace) the incoming gradients. */
  preHooks: ((grads: (Tensor | null)[]) => (Tensor | null)[])[] | undefined;

  constructor(
    /** Name as PyTorch prints it, such as `AddBackward0`. */
    readonly name: string,
    inputs: readonly (Tensor | number | null | undefined)[],
    isLeaf = false,
  ) {
    this.sequence = isLeaf ? 0 : ++sequence;
    if (inputs.length === 2) {
      this.next = [edgeOf(inputs[0]), edgeOf(inputs[1])];
      this.nextOutput = NO_OUTPUTS;
    } else {
      this.next = inputs.map(edgeOf);
      this.nextOutput = NO_OUTPUTS;
    }
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i];
      if (typeof input === 'object' && input !== null && input.outputNr !== 0) {
        if (this.nextOutput === NO_OUTPUTS) this.nextOutput = [];
        this.nextOutput[i] = input.outputNr;
      }
    }
  }

  /** Gradients of the inputs from those of the outputs. */
  abstract apply(grads: (Tensor | null)[], createGraph: boolean): (Tensor | null)[];

  /** Lets go of saved values. */
  release(): void {}

  toString(): string {
    return `<${this.name}>`;
  }
}

/** End of the tape at a leaf: adds what arrives to its `.grad` (done by the engine). */
export class AccumulateGrad extends Node {
  constructor(readonly variable: Tensor) {
    super('AccumulateGrad', [], true);
  }

  apply(): (Tensor | null)[] {
    return [];
  }
}

/** Shared by all nodes whose inputs are first outputs. */
const NO_OUTPUTS: number[] = [];

function edgeOf(input: Tensor | number | null | undefined): Node | null {
  return typeof input === 'object' && input !== null && input.needsGrad ? nodeOf(input) : null;
}

/** The node that a tensor's gradient flows to. */
export function nodeOf(tensor: Tensor): Node | null {
  if (tensor.gradFn !== null) return tensor.gradFn;
  if (!tensor.requiresGrad) return null;
  tensor.accumulator ??= new AccumulateGrad(tensor);
  return tensor.accumulator;
}

/** A value kept for backward, with the version its storage had. */
export class Saved {
  private readonly version: number;
  private value: Tensor | null;

  constructor(
    tensor: Tensor,
    readonly owner: string,
  ) {
    this.value = tensor;
    this.version = tensor.storage.version;
    tensor.storage.retain();
  }

  /** The saved tensor; refuses values that were freed or changed since. */
  get(): Tensor {
    const value = this.value;
    if (value === null) {
      throw new RuntimeError(
        'Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retainGraph: true if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.',
      );
    }
    if (value.storage.version !== this.version) {
      throw new RuntimeError(
        `one of the variables needed for gradient computation has been modified by an inplace operation: [${value.typeName()} [${value.shape.join(', ')}]], which is saved by ${this.owner}, is at version ${value.storage.version}; expected version ${this.version} instead.`,
      );
    }
    return value;
  }

  release(): void {
    if (this.value === null) return;
    this.value.storage.drop();
    this.value = null;
  }
}

let gradMode = true;

/** Whether ops are recorded now. */
export function isGradEnabled(): boolean {
  return gradMode;
}

export function setGradMode(enabled: boolean): boolean {
  const before = gradMode;
  gradMode = enabled;
  return before;
}
