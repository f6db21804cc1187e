import { IndexError, RuntimeError } from './errors.js';

export type Shape = readonly number[];

/** Number of elements of a shape. */
export function numelOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i];
  return n;
}

/** Row-major strides, in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= Math.max(shape[i], 1);
  }
  return strides;
}

/** Whether elements lie in row-major order without gaps. */
export function isContiguous(shape: Shape, strides: Shape): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 0) return true;
    if (shape[i] !== 1) {
      if (strides[i] !== step) return false;
      step *= shape[i];
    }
  }
  return true;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The common shape of two operands, in PyTorch's rule: sizes match from the right, or one of them is 1 or missing. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const n = Math.max(a.length, b.length);
  const out = new Array<number>(n);
  for (let i = 0; i < n; i++) {
    const x = a[a.length - n + i] ?? 1;
    const y = b[b.length - n + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new RuntimeError(
        `The size of tensor a (${x}) must match the size of tensor b (${y}) at non-singleton dimension ${i}`,
      );
    }
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Turns a dimension that may be negative into an index, with PyTorch's message. */
export function wrapDim(dim: number, ndim: number): number {
  const n = Math.max(ndim, 1);
  if (!Number.isInteger(dim) || dim < -n || dim >= n) {
    throw new IndexError(`Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`);
  }
  return dim < 0 ? dim + n : dim;
}

/** Wraps a list of dimensions and refuses repetitions. */
export function wrapDims(dims: readonly number[], ndim: number): number[] {
  const out = dims.map((d) => wrapDim(d, ndim));
  for (let i = 0; i < out.length; i++) {
    if (out.indexOf(out[i]) !== i) throw new RuntimeError(`dim ${out[i]} appears multiple times in the list of dims`);
  }
  return out;
}

/** A shape as PyTorch's messages show it. */
export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Fills in one -1 and checks that the count of elements stays. */
export function inferShape(shape: Shape, numel: number): number[] {
  const out = shape.slice();
  let known = 1;
  let hole = -1;
  for (let i = 0; i < out.length; i++) {
    if (out[i] === -1) {
      if (hole >= 0) throw new RuntimeError('only one dimension can be inferred');
      hole = i;
    } else if (!Number.isInteger(out[i]) || out[i] < 0) {
      throw new RuntimeError(`invalid shape dimension ${out[i]} at index ${i} of shape ${showShape(shape)}`);
    } else {
      known *= out[i];
    }
  }
  if (hole >= 0) {
    if (known === 0) {
      throw new RuntimeError(
        `cannot reshape tensor of 0 elements into shape ${showShape(shape)} because the unspecified dimension size -1 can be any value and is ambiguous`,
      );
    }
    if (numel % known !== 0)
      throw new RuntimeError(`shape '${showShape(shape)}' is invalid for input of size ${numel}`);
    out[hole] = numel / known;
  } else if (known !== numel) {
    throw new RuntimeError(`shape '${showShape(shape)}' is invalid for input of size ${numel}`);
  }
  return out;
}

/** Strides that give the same elements a new shape without copying, or undefined where that cannot be. */
export function viewStrides(shape: Shape, strides: Shape, to: Shape): number[] | undefined {
  const numel = numelOf(shape);
  if (numel === 0) return contiguousStrides(to);
  const out = new Array<number>(to.length);
  let v = to.length - 1;
  let chunkStride = strides.length > 0 ? strides[strides.length - 1] : 1;
  let chunk = 1;
  let viewed = 1;
  if (shape.length === 0) return contiguousStrides(to);
  for (let d = shape.length - 1; d >= 0; d--) {
    chunk *= shape[d];
    const atEdge = d === 0 || (shape[d - 1] !== 1 && strides[d - 1] !== chunk * chunkStride);
    if (!atEdge) continue;
    while (v >= 0 && (viewed < chunk || to[v] === 1)) {
      out[v] = viewed * chunkStride;
      viewed *= to[v];
      v--;
    }
    if (viewed !== chunk) return undefined;
    if (d > 0) {
      chunkStride = strides[d - 1];
      chunk = 1;
      viewed = 1;
    }
  }
  return v === -1 ? out : undefined;
}

/** Reads a shape given as separate numbers or as one list: `zeros(2, 3)`, `zeros([2, 3])`. */
export function shapeFrom(op: string, args: readonly (number | Shape)[]): number[] {
  const list = args.length === 1 && Array.isArray(args[0]) ? (args[0] as Shape) : (args as Shape);
  for (let i = 0; i < list.length; i++) {
    if (!Number.isInteger(list[i])) {
      throw new TypeError(
        `${op}(): expected sizes as whole numbers or one list of them, got ${String(list[i])} at position ${i}`,
      );
    }
  }
  return list.slice();
}

/** Refuses negative sizes of a tensor to be made. */
export function checkSizes(op: string, shape: Shape): void {
  for (const size of shape) {
    if (size < 0) {
      throw new RuntimeError(`${op}(): Trying to create tensor with negative dimension ${size}: ${showShape(shape)}`);
    }
  }
}
