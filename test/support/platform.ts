import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** What tests need of the platform they run on, in Node; in a page platform.browser.ts stands in for this file. */

export { crc32 } from 'node:zlib';

/** The contents of test/goldens/NAME.json.gz. */
export async function readGolden<T>(name: string): Promise<T> {
  return JSON.parse(gunzipSync(readFileSync(new URL(`../goldens/${name}.json.gz`, import.meta.url))).toString()) as T;
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

export async function sha256(bytes: Uint8Array): Promise<string> {
  return createHash('sha256').update(bytes).digest('hex');
}
