import type { DTypeName } from '../../src/core/dtype.js';
import type { Argument } from './draw.js';
import { bytesOf, readGolden } from './platform.js';
import type { Expected } from './tolerances.js';

/** What PyTorch answers, as test/goldens/ops.py wrote it. */

interface Packed {
  dtype: DTypeName;
  shape: number[];
  data: string;
}

export interface Answer {
  throws?: string;
  out?: Packed[];
  grads?: (Packed | null)[];
  backwardThrows?: string;
  /** Places of zeros whose sign PyTorch does not settle. */
  looseSigns?: number[];
  view?: { strides: number[]; offset: number; shared: boolean };
}

export interface GoldenCase {
  id: string;
  group: 'sample' | 'edge' | 'special' | 'promote' | 'number' | 'layout' | 'wide';
  layout?: 'transposed' | 'sliced';
  args: Argument[];
  results: Partial<Record<DTypeName, Answer>>;
}

export interface GoldenOp {
  name: string;
  samples: { args: Argument[] }[];
  cases: GoldenCase[];
}

interface Goldens {
  torch: string;
  entries: GoldenOp[];
}

export const goldens = await readGolden<Goldens>('ops');

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

export function unpack({ dtype, shape, data }: Packed): Expected {
  return { dtype, shape, values: new arrays[dtype](bytesOf(data).buffer) };
}
