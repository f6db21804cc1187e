import 'typetorch';
import type { DTypeName } from '../../src/core/dtype.js';
import type { Tensor } from '../../src/core/tensor.js';
import * as functional from '../../src/ops/functional.js';
import * as ops from '../../src/ops/index.js';
import * as methodOnly from '../../src/ops/method-only.js';
import { type OpRecord, records } from '../../src/ops/op.js';

/** The ops that tests are generated for, found through the records that their exports carry. */

export type Result = Tensor | Iterable<Tensor>;
export type Callable = (...args: unknown[]) => Result;
export type Family = 'torch' | 'method' | 'functional';

export interface Entry {
  /** Name of the export. */
  name: string;
  fn: Callable;
  inPlace: Callable | undefined;
  record: OpRecord;
  family: Family;
}

const families: Record<Family, object> = { torch: ops, method: methodOnly, functional };

function find(): Entry[] {
  const found: Entry[] = [];
  for (const [family, exports] of Object.entries(families)) {
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== 'function' || !('record' in value)) continue;
      const op = value as Callable & { record: OpRecord; inPlace?: Callable };
      found.push({ name, fn: op, inPlace: op.inPlace, record: op.record, family: family as Family });
    }
  }
  return found;
}

/** Every export with a record, other names of the same op included. */
export const exported: readonly Entry[] = find();

/** One entry per record, under the record's own name where it is exported so. */
export const entries: readonly Entry[] = [...new Set(exported.map((e) => e.record))].map((record) => {
  const list = exported.filter((e) => e.record === record);
  return list.find((e) => e.name === record.name) ?? list[0];
});

/** Records without an export of their own: gradients and fused forms that other ops call. */
export const internal: readonly OpRecord[] = [...new Set(records)].filter((r) => !exported.some((e) => e.record === r));

export const dtypeNames: readonly DTypeName[] = ['float32', 'float64', 'int64', 'int32', 'uint8', 'bool'];

/** Tensors of a result that may be one tensor or a named tuple. */
export function outputsOf(result: Result): Tensor[] {
  return 'storage' in result ? [result as Tensor] : [...(result as Iterable<Tensor>)];
}

/** Whether the op writes into its first argument by name: such ops get a copy of it. */
export function writesSelf(entry: Entry): boolean {
  return entry.name.endsWith('_');
}

/** Calls the op as PyTorch is called for the goldens. */
export function call(entry: Entry, args: readonly unknown[]): Result {
  if (!writesSelf(entry)) return entry.fn(...args);
  const [self, ...rest] = args as [Tensor, ...unknown[]];
  return entry.fn(self.clone(), ...rest);
}
