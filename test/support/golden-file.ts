import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** The contents of test/goldens/NAME.json.gz. */
export function readGolden<T>(name: string): T {
  return JSON.parse(gunzipSync(readFileSync(new URL(`../goldens/${name}.json.gz`, import.meta.url))).toString()) as T;
}
