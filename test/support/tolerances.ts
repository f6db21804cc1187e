import type { DTypeName } from '../../src/core/dtype.js';
import type { Tensor } from '../../src/core/tensor.js';
import type { OpRecord } from '../../src/ops/op.js';
import { valuesOf } from './draw.js';

/** How far results may be apart: PyTorch's own table (torch.testing.assert_close), integers and bools exactly. */
export const tolerances: Record<DTypeName, { rtol: number; atol: number }> = {
  float64: { rtol: 1e-7, atol: 1e-7 },
  float32: { rtol: 1.3e-6, atol: 1e-5 },
  int64: { rtol: 0, atol: 0 },
  int32: { rtol: 0, atol: 0 },
  uint8: { rtol: 0, atol: 0 },
  bool: { rtol: 0, atol: 0 },
};

/** What the values of a tensor should be. */
export interface Expected {
  dtype: DTypeName;
  shape: readonly number[];
  values: ArrayLike<number | bigint>;
}

export function expectedOf(x: Tensor): Expected {
  return { dtype: x.dtype.name, shape: x.shape, values: valuesOf(x) };
}

/** How far one number is from another in units of what is allowed; NaN equals NaN. */
function excess(got: number | bigint, want: number | bigint, rtol: number, atol: number): number {
  if (got === want) return 0;
  if (typeof got === 'bigint' || typeof want === 'bigint') return Infinity;
  if (Number.isNaN(got) && Number.isNaN(want)) return 0;
  const gap = Math.abs(got - want);
  if (!Number.isFinite(gap)) return Infinity;
  const allowed = atol + rtol * Math.abs(want);
  return allowed === 0 ? Infinity : gap / allowed;
}

function indexOf(place: number, shape: readonly number[]): string {
  const out: number[] = [];
  let rest = place;
  for (let d = shape.length - 1; d >= 0; d--) {
    out.unshift(rest % shape[d]);
    rest = Math.floor(rest / shape[d]);
  }
  return `[${out.join(', ')}]`;
}

/** The first zero with another sign than expected, in words. */
export function zeroSign(got: Tensor, want: Expected, loose: readonly number[]): string | undefined {
  const values = valuesOf(got);
  for (let i = 0; i < values.length; i++) {
    if (!loose.includes(i) && values[i] === 0 && want.values[i] === 0 && !Object.is(values[i], want.values[i])) {
      return `zero of the other sign at ${indexOf(i, want.shape)}: got ${1 / Number(values[i])} as its reciprocal`;
    }
  }
  return undefined;
}

/** The difference in words, or undefined where the tensor is as expected. */
export function difference(got: Tensor, want: Expected, record?: OpRecord): string | undefined {
  if (got.dtype.name !== want.dtype) return `dtype ${got.dtype.name}, expected ${want.dtype}`;
  if (got.shape.join() !== want.shape.join())
    return `shape [${got.shape.join(', ')}], expected [${want.shape.join(', ')}]`;
  const { rtol, atol } = tolerances[want.dtype];
  const own = got.dtype.category === 'float' ? record?.tolerance : undefined;
  const values = valuesOf(got);
  let worst = 1;
  let at = -1;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const e = excess(values[i], want.values[i], Math.max(rtol, own?.rtol ?? 0), Math.max(atol, own?.atol ?? 0));
    if (e <= 1) continue;
    count++;
    if (e > worst) {
      worst = e;
      at = i;
    }
  }
  if (at < 0) return undefined;
  const share = `${count} of ${values.length} elements differ`;
  return `${share}; worst at ${indexOf(at, want.shape)}: got ${values[at]}, expected ${want.values[at]}`;
}
