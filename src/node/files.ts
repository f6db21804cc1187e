import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RuntimeError } from '../core/errors.js';
import { type Fetch, setHostFiles } from '../vision/host.js';

/** Runs in a Node process of its own, because constructors are synchronous and `fetch` is not. */
const fetcher = `
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
const md5Of = (bytes) => createHash('md5').update(bytes).digest('hex');
async function get(url, md5) {
  const response = await fetch(url, { signal: AbortSignal.timeout(300_000) });
  if (!response.ok) throw new Error('status ' + response.status);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (md5Of(bytes) !== md5) throw new Error('MD5 sum ' + md5Of(bytes) + ', expected ' + md5);
  return bytes;
}
async function fetchFile({ urls, path, md5 }) {
  const problems = [];
  for (const url of urls) {
    try {
      console.error('Downloading ' + url + ' to ' + path);
      const bytes = await get(url, md5);
      const part = path + '.' + process.pid + '.part';
      writeFileSync(part, bytes);
      renameSync(part, path);
      return;
    } catch (error) {
      problems.push(url + ': ' + (error.cause?.message || error.cause?.code || error.message));
    }
  }
  throw new Error('Error downloading ' + path + ' (' + problems.join('; ') + ')');
}
const there = ({ path, md5 }) => {
  try { return md5Of(readFileSync(path)) === md5; } catch { return false; }
};
try {
  for (const file of JSON.parse(readFileSync(0, 'utf8'))) if (!there(file)) await fetchFile(file);
} catch (error) {
  console.log(error.message);
  process.exitCode = 1;
}
`;

function download(files: readonly Fetch[]): void {
  for (const { path } of files) mkdirSync(dirname(path), { recursive: true });
  const { status, stdout, error } = spawnSync(process.execPath, ['--input-type=module', '--eval', fetcher], {
    input: JSON.stringify(files),
    stdio: ['pipe', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new RuntimeError(stdout?.trim() || `Error downloading (${error?.message ?? `exit status ${status}`})`);
}

function read(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

setHostFiles({ join, read, gunzip: gunzipSync, download });
