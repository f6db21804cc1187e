import { RuntimeError } from '../core/errors.js';

/** The IDX format of MNIST's files: two zero bytes, a type code, the number of dimensions, big-endian sizes, the data. */

const UNSIGNED_BYTE = 0x08;

export interface Idx {
  shape: number[];
  data: Uint8Array;
}

const hex = (value: number) => `0x${value.toString(16).padStart(8, '0')}`;

/** Reads an IDX file of unsigned bytes with `ndim` dimensions; `file` is its name in error messages. */
export function readIdx(bytes: Uint8Array, ndim: number, file: string): Idx {
  const header = 4 + 4 * ndim;
  if (bytes.length < header) {
    throw new RuntimeError(
      `${file}: too short for an IDX file: expected a header of ${header} bytes, found ${bytes.length} bytes in all`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const expected = (UNSIGNED_BYTE << 8) | ndim;
  if (magic !== expected) {
    throw new RuntimeError(
      `${file}: wrong magic number: expected ${expected} (${hex(expected)}: unsigned bytes, ${ndim} dimension${ndim === 1 ? '' : 's'}), found ${magic} (${hex(magic)})`,
    );
  }
  const shape = Array.from({ length: ndim }, (_, d) => view.getUint32(4 + 4 * d));
  const size = shape.reduce((a, b) => a * b, 1);
  if (bytes.length - header !== size) {
    throw new RuntimeError(
      `${file}: wrong size: expected ${size} bytes of data for shape [${shape.join(', ')}], found ${bytes.length - header}`,
    );
  }
  return { shape, data: bytes.subarray(header) };
}
