import { IndexError, NotImplementedError } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';

/** Basic indexing: integers, slices, `null`, `'...'`; one tensor or list of indices along a dimension. */

/** `start:end:step`, any part of which may be missing. */
export class Slice {
  constructor(
    readonly start: number | null = null,
    readonly end: number | null = null,
    readonly step = 1,
  ) {}
}

export type Index = number | null | string | boolean | Slice | Tensor | readonly number[];

/** A slice for {@link Tensor.index}: `slice(end)`, `slice(start, end)`, `slice(start, end, step)`. */
export function slice(start: number | null, end?: number | null, step?: number | null): Slice {
  return end === undefined ? new Slice(null, start) : new Slice(start, end, step ?? 1);
}

function parse(text: string): Slice {
  const parts = text.split(':').map((p) => p.trim());
  const numbers = parts.map((p) => (p === '' ? null : Number(p)));
  if (parts.length < 2 || parts.length > 3 || numbers.some((n) => n !== null && !Number.isInteger(n))) {
    throw new IndexError(
      `index(): '${text}' is no slice; slices are written 'start:end' or 'start:end:step', the rest '...'`,
    );
  }
  return new Slice(numbers[0], numbers[1], numbers[2] ?? 1);
}

const takesDim = (i: Index) => i !== null && i !== '...';

/** Reads a part of a tensor: a view for integers, slices, null and '...', a copy where indices are listed. */
export function index(self: Tensor, indices: readonly Index[]): Tensor {
  const used = indices.filter(takesDim).length;
  if (used > self.ndim) throw new IndexError(`too many indices for tensor of dimension ${self.ndim}`);
  if (indices.filter((i) => i === '...').length > 1)
    throw new IndexError("an index can only have a single ellipsis ('...')");
  if (indices.filter((i) => i instanceof Tensor || Array.isArray(i)).length > 1) {
    throw new NotImplementedError('index(): more than one list of indices in a call is not implemented');
  }
  let out = self;
  let dim = 0;
  for (const i of indices) {
    if (i === null) {
      out = out.unsqueeze(dim++);
    } else if (i === '...') {
      dim += self.ndim - used;
    } else if (typeof i === 'number') {
      if (!Number.isInteger(i))
        throw new IndexError(
          `index(): only whole numbers, slices, null, '...' and tensors are valid indices, got ${i}`,
        );
      const size = out.shape[dim];
      if (i < -size || i >= size)
        throw new IndexError(`index ${i} is out of bounds for dimension ${dim} with size ${size}`);
      out = out.select(dim, i);
    } else if (typeof i === 'string' || i instanceof Slice) {
      const s = typeof i === 'string' ? parse(i) : i;
      out = out.slice(dim++, s.start, s.end, s.step);
    } else {
      out = listed(out, dim, i);
      dim++;
    }
  }
  return out === self ? self.view(self.shape) : out;
}

function listed(self: Tensor, dim: number, i: Index): Tensor {
  const places = i instanceof Tensor ? i : Array.isArray(i) ? indexTensor(self, i) : undefined;
  if (places === undefined || places.dtype.category === 'bool') {
    throw new NotImplementedError('index(): masks are not implemented; use where()');
  }
  if (places.dtype.category === 'float')
    throw new IndexError('tensors used as indices must be long, int, byte or bool tensors');
  const wrapped = places.where(places.ge(0), places.add(self.shape[dim]));
  const flat = self.indexSelect(dim, wrapped.long().reshape(-1));
  return flat.reshape([...self.shape.slice(0, dim), ...places.shape, ...self.shape.slice(dim + 1)]);
}

function indexTensor(self: Tensor, list: readonly number[]): Tensor {
  const out = self.newZeros([list.length], { dtype: 'int64' });
  const { array, start } = out.elements();
  list.forEach((v, k) => {
    (array as BigInt64Array)[start + k] = BigInt(v);
  });
  return out;
}

/** Writes into a part of a tensor that basic indices name. */
export function indexPut_(
  self: Tensor,
  indices: readonly Index[],
  value: Tensor | number,
  options?: { accumulate?: boolean },
): Tensor {
  if (indices.some((i) => i instanceof Tensor || Array.isArray(i))) {
    throw new NotImplementedError('indexPut_(): lists of indices and masks are not implemented; use where()');
  }
  const target = index(self, indices);
  if (options?.accumulate) target.add_(value);
  else target.copy_(value as Tensor);
  return self;
}
