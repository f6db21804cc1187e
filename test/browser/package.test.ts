import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build, type Format } from 'esbuild';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import webpack from 'webpack';
import { digits, run, runInNode, runInWorker, visit } from './support/page.js';

/** The packed package in the hands of bundlers with their default settings, and of no bundler. */

const STEPS = 50;
const stranger = inject('stranger');
const built = (name: string) => join(stranger, 'built', name);

function writePage(name: string, script: string): void {
  writeFileSync(join(built(name), 'index.html'), `<!doctype html><title>${name}</title>${script}`);
}

async function withEsbuild(format: Format): Promise<void> {
  const { warnings } = await build({
    entryPoints: [join(stranger, 'program/page.js')],
    bundle: true,
    format,
    outfile: join(built(format), 'page.js'),
  });
  expect(warnings).toEqual([]);
  writePage(format, `<script ${format === 'esm' ? 'type="module" ' : ''}src="page.js"></script>`);
}

function withVite(): void {
  // A process of its own, without what the test runner put into the environment.
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
  const { PATH } = process.env;
  execFileSync(process.execPath, [vite, 'build', '--outDir', built('vite')], {
    cwd: join(stranger, 'program'),
    env: { PATH },
    stdio: 'pipe',
  });
}

async function withWebpack(): Promise<void> {
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
    webpack(
      {
        mode: 'production',
        entry: './page-with-worker.js',
        context: join(stranger, 'program'),
        output: { path: built('webpack') },
      },
      (error, result) => (error ? reject(error) : resolve(result)),
    );
  });
  const { errors = [], warnings = [] } = stats?.toJson() ?? {};
  expect(errors).toEqual([]);
  // It recommends smaller files to load faster; nothing else is to be said.
  expect(warnings.map((w) => w.message).filter((m) => !/size limit|performance recommendations/.test(m))).toEqual([]);
  writePage('webpack', '<script src="main.js"></script>');
}

let wanted: string[];
beforeAll(async () => {
  for (const name of ['iife', 'esm', 'webpack']) mkdirSync(built(name), { recursive: true });
  await withEsbuild('iife');
  await withEsbuild('esm');
  withVite();
  await withWebpack();
  wanted = digits(await runInNode('wasm', 'losses', STEPS));
}, 120_000);

test('native kernels and WebAssembly print the same losses in Node', async () => {
  expect(wanted).toHaveLength(STEPS);
  expect(Number(wanted[STEPS - 1])).toBeLessThan(Number(wanted[0]) / 2);
  expect(digits(await runInNode('native', 'losses', STEPS))).toEqual(wanted);
});

describe('trains in Chromium as in Node', () => {
  const pages = {
    'bundled by esbuild as a classic script': { folder: () => built('iife'), path: '/', worker: false },
    'bundled by esbuild as a module': { folder: () => built('esm'), path: '/', worker: false },
    'bundled by Vite': { folder: () => built('vite'), path: '/', worker: true },
    'bundled by webpack': { folder: () => built('webpack'), path: '/', worker: true },
    'without a bundler': { folder: () => stranger, path: '/plain/', worker: true },
  };
  for (const [how, { folder, path, worker }] of Object.entries(pages)) {
    test(how, async () => {
      await using visited = await visit({ folder: folder(), path });
      const { page, problems } = visited;
      expect(digits(await run(page, 'losses', STEPS))).toEqual(wanted);
      if (worker) expect(digits(await runInWorker(page, 'losses', STEPS))).toEqual(wanted);
      expect(problems).toEqual([]);
    });
  }
});
