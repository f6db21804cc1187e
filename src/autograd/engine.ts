import { RuntimeError } from '../core/errors.js';
import { sameShape } from '../core/shape.js';
import { closeScope, openScope, outsideScopes } from '../core/storage.js';
import { AccumulateGrad, type Node, nodeOf, setGradMode } from '../core/tape.js';
import { empty, Tensor } from '../core/tensor.js';
import { copyInto, fillWith } from '../ops/iterate.js';

/**
 * Backward: visits the nodes that the roots reach, from the newest to the oldest, so that each has all its incoming
 * gradients before it is asked for those of its inputs.
 */

interface Run {
  /** Gradients waiting for a node, by output. */
  pending: Map<Node, (Tensor | null)[]>;
  retainGraph: boolean;
  createGraph: boolean;
  /** For `grad()`: where to put the gradients of chosen nodes' outputs; nothing is accumulated then. */
  captures: Map<Node, Map<number, number[]>> | undefined;
  captured: (Tensor | null)[];
}

/** Nodes reachable from the roots, newest first. */
function reachable(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>(roots);
  const nodes = [...seen];
  for (let i = 0; i < nodes.length; i++) {
    for (const next of nodes[i].next) {
      if (next !== null && !seen.has(next)) {
        seen.add(next);
        nodes.push(next);
      }
    }
  }
  return nodes.sort((a, b) => b.sequence - a.sequence);
}

/** Keeps only nodes on a path to a wanted one. */
function needed(nodes: readonly Node[], wanted: ReadonlySet<Node>): Set<Node> {
  const keep = new Set<Node>();
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    if (wanted.has(node) || node.next.some((next) => next !== null && keep.has(next))) keep.add(node);
  }
  return keep;
}

/** Adds a gradient to those waiting for a node. */
function send(run: Run, node: Node, output: number, grad: Tensor): void {
  let slots = run.pending.get(node);
  if (slots === undefined) {
    slots = [];
    run.pending.set(node, slots);
  }
  const before = slots[output];
  if (before === undefined || before === null) {
    grad.storage.retain();
    slots[output] = grad;
    return;
  }
  const sum = before.add(grad);
  sum.storage.retain();
  slots[output] = sum;
  before.storage.dropNow();
}

/** Calls user code with a gradient that it may keep. */
function callHook(hook: (grad: Tensor) => Tensor | null | undefined, grad: Tensor): Tensor {
  grad.storage.reveal();
  const result = outsideScopes(() => hook(grad)) ?? grad;
  if (!(result instanceof Tensor))
    throw new TypeError(`hook of a tensor must return a Tensor or nothing, got ${typeof result}`);
  if (!sameShape(result.shape, grad.shape)) {
    throw new RuntimeError(`hook '${hook.name || 'anonymous'}' has changed the size of value`);
  }
  return result;
}

/** Adds an arriving gradient to a leaf's `.grad`, taking it over where nobody else holds it. */
function accumulate(variable: Tensor, arriving: Tensor, createGraph: boolean): void {
  let grad = arriving;
  for (const hook of variable.hooks ?? []) grad = callHook(hook, grad);
  const before = variable.gradient;
  if (createGraph) {
    variable.replaceGradient(before === null ? grad : before.add(grad));
    variable.gradient?.storage.reveal();
    return;
  }
  if (before?.requiresGrad) {
    variable.replaceGradient(before.add(grad));
    return;
  }
  if (before !== null) {
    before.add_(grad);
    return;
  }
  const { storage } = grad;
  const mine =
    storage.refs === 1 && !storage.visible && grad.isContiguous() && storage.bytes === grad.count * grad.dtype.itemsize;
  if (mine) {
    variable.replaceGradient(grad);
    return;
  }
  const copy = empty(grad.shape, grad.dtype);
  copyInto(copy, grad);
  variable.replaceGradient(copy);
}

function checkGradient(node: Node, i: number, grad: Tensor): void {
  if (grad instanceof Tensor) return;
  throw new RuntimeError(
    `${node.name} returned ${typeof grad} as the gradient of input ${i}; expected a Tensor or null`,
  );
}

function visit(run: Run, node: Node, keep: ReadonlySet<Node> | undefined): void {
  const slots = run.pending.get(node);
  if (slots === undefined) return;
  run.pending.delete(node);
  const grads: (Tensor | null)[] = [];
  for (let k = 0; k < node.outputs; k++) grads.push(slots[k] ?? null);
  const capture = run.captures?.get(node);
  if (node.preHooks !== undefined && !(node instanceof AccumulateGrad)) {
    for (const hook of node.preHooks) {
      const changed = hook(grads);
      for (let k = 0; k < changed.length; k++) grads[k] = changed[k];
    }
  }
  if (capture !== undefined) {
    for (const [output, targets] of capture) {
      let grad = grads[output];
      if (grad === null) continue;
      if (node instanceof AccumulateGrad) for (const hook of node.variable.hooks ?? []) grad = callHook(hook, grad);
      for (const target of targets) {
        grad.storage.retain();
        run.captured[target] = grad;
      }
    }
  }
  if (node instanceof AccumulateGrad) {
    if (run.captures === undefined && grads[0] !== null) accumulate(node.variable, grads[0], run.createGraph);
  } else if (keep === undefined || node.next.some((next) => next !== null && keep.has(next))) {
    const mark = openScope();
    try {
      const results = node.apply(grads, run.createGraph);
      for (let i = 0; i < node.next.length; i++) {
        const next = node.next[i];
        const grad = results[i] ?? null;
        if (next === null || grad === null || (keep !== undefined && !keep.has(next))) continue;
        checkGradient(node, i, grad);
        send(run, next, node.nextOutput[i] ?? 0, grad);
      }
    } finally {
      closeScope(mark);
    }
    if (!run.retainGraph) node.release();
  }
  for (const grad of slots) grad?.storage.dropNow();
}

function execute(run: Run, roots: readonly Node[], wanted: ReadonlySet<Node> | undefined): void {
  const nodes = reachable(roots);
  const keep = wanted === undefined ? undefined : needed(nodes, wanted);
  const mode = setGradMode(run.createGraph);
  try {
    for (const node of nodes) visit(run, node, keep);
  } finally {
    setGradMode(mode);
    for (const slots of run.pending.values()) for (const grad of slots) grad?.storage.drop();
  }
}

/** Gradient to start from: given, or 1 for a single element. */
function rootGradient(tensor: Tensor, given: Tensor | null | undefined): Tensor {
  if (given !== null && given !== undefined) {
    if (!sameShape(given.shape, tensor.shape)) {
      throw new RuntimeError(
        `Mismatch in shape: grad_output[0] has a shape of torch.Size([${given.shape.join(', ')}]) and output[0] has a shape of torch.Size([${tensor.shape.join(', ')}]).`,
      );
    }
    return given;
  }
  if (tensor.count !== 1) throw new RuntimeError('grad can be implicitly created only for scalar outputs');
  const one = empty(tensor.shape, tensor.dtype);
  fillWith(one, 1);
  return one;
}

function startingNode(tensor: Tensor): Node {
  const node = nodeOf(tensor);
  if (node === null) throw new RuntimeError('element 0 of tensors does not require grad and does not have a grad_fn');
  return node;
}

export interface BackwardOptions {
  /** Keeps saved values so that backward can run again. Default: the value of `createGraph`. */
  retainGraph?: boolean;
  /** Records the gradients themselves, for higher derivatives. */
  createGraph?: boolean;
  /** Accumulate into these leaves only. */
  inputs?: Tensor | readonly Tensor[];
}

/** Computes gradients of `tensors` and adds them to the `.grad` of the leaves they depend on. */
export function backward(
  tensors: Tensor | readonly Tensor[],
  gradTensors?: Tensor | readonly (Tensor | null)[] | null,
  options: BackwardOptions = {},
): void {
  const outputs = tensors instanceof Tensor ? [tensors] : tensors;
  const given = gradTensors instanceof Tensor ? [gradTensors] : (gradTensors ?? []);
  const createGraph = options.createGraph ?? false;
  const mark = openScope();
  try {
    const run: Run = {
      pending: new Map(),
      retainGraph: options.retainGraph ?? createGraph,
      createGraph,
      captures: undefined,
      captured: [],
    };
    const roots = outputs.map(startingNode);
    outputs.forEach((tensor, i) => {
      send(run, roots[i], tensor.outputNr, rootGradient(tensor, given[i]));
    });
    const inputs =
      options.inputs === undefined ? undefined : options.inputs instanceof Tensor ? [options.inputs] : options.inputs;
    execute(run, roots, inputs === undefined ? undefined : new Set(inputs.map(startingNode)));
  } finally {
    closeScope(mark);
  }
}

export interface GradOptions {
  gradOutputs?: Tensor | readonly (Tensor | null)[] | null;
  retainGraph?: boolean;
  createGraph?: boolean;
  /** Give null for inputs that the outputs do not depend on, instead of an error. */
  allowUnused?: boolean;
}

/** Gradients of `outputs` with respect to `inputs`, without touching any `.grad`. */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const tensors = outputs instanceof Tensor ? [outputs] : outputs;
  const wanted = inputs instanceof Tensor ? [inputs] : inputs;
  const given = options.gradOutputs instanceof Tensor ? [options.gradOutputs] : (options.gradOutputs ?? []);
  const createGraph = options.createGraph ?? false;
  const mark = openScope();
  try {
    const captures = new Map<Node, Map<number, number[]>>();
    wanted.forEach((tensor, i) => {
      if (!tensor.requiresGrad) throw new RuntimeError('One of the differentiated Tensors does not require grad');
      const node = startingNode(tensor);
      const byOutput = captures.get(node) ?? new Map<number, number[]>();
      captures.set(node, byOutput);
      byOutput.set(tensor.outputNr, [...(byOutput.get(tensor.outputNr) ?? []), i]);
    });
    const run: Run = {
      pending: new Map(),
      retainGraph: options.retainGraph ?? createGraph,
      createGraph,
      captures,
      captured: wanted.map(() => null),
    };
    const roots = tensors.map(startingNode);
    tensors.forEach((tensor, i) => {
      send(run, roots[i], tensor.outputNr, rootGradient(tensor, given[i]));
    });
    execute(run, roots, new Set(captures.keys()));
    run.captured.forEach((tensor, i) => {
      if (tensor === null && !options.allowUnused) {
        throw new RuntimeError(
          `One of the differentiated Tensors appears to not have been used in the graph. Set allowUnused: true if this is the desired behavior. (input ${i})`,
        );
      }
      tensor?.storage.reveal();
    });
    for (const tensor of run.captured) tensor?.storage.drop();
    return run.captured;
  } finally {
    closeScope(mark);
  }
}
