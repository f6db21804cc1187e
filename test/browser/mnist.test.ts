import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, inject, test } from 'vitest';
import { expectSameLines } from '../support/lines.js';
import { readGolden } from '../support/platform.js';
import type { Run } from './programs/mnist.js';
import { digits, nodeOutput, run, runInNode, runInWorker, visit } from './support/page.js';

/** The MNIST example with images in the page, and with files that a worker reads. */

const stranger = inject('stranger');
const { mnist: twins } = await readGolden<{ mnist: { options: string[]; lines: string[] }[] }>('data');

test('W-26 the MNIST example prints in a page what it prints in Node', async () => {
  const folder = join(stranger, 'built/mnist');
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(stranger, 'program/mnist-page.js')],
    bundle: true,
    outfile: join(folder, 'page.js'),
  });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>MNIST</title><script src="page.js"></script>');
  await using visited = await visit({ folder, path: '/' });
  const { page, problems } = visited;
  const here = await page.evaluate(() => runMnist(2, 0));

  const program = "import { mnist } from './program/mnist.js'; console.log(JSON.stringify(await mnist(2, 0)))";
  const node: Run = JSON.parse(await nodeOutput('wasm', ['--input-type=module', '--eval', program]));
  expect(digits(here.losses)).toEqual(digits(node.losses));
  expect(here.lines).toEqual(node.lines);
  // These options are also run by the PyTorch twin of the example.
  expect(twins[0].options).toEqual(['--epochs', '2', '--limit', '2000', '--seed', '0']);
  expectSameLines(here.lines, twins[0].lines);
  expect(problems).toEqual([]);
});

test('DA-010 a worker reads the files of MNIST from the server', async () => {
  await using visited = await visit();
  const { page, problems } = visited;
  const batch = await runInWorker(page, 'firstBatch', 'data');
  expect(batch.labels).toHaveLength(64);
  expect(batch).toEqual(await runInNode('wasm', 'firstBatch', join(stranger, 'plain/data')));
  await expect(run(page, 'firstBatch', 'data')).rejects.toThrow('read data sets in a Web Worker');
  expect(problems).toEqual([]);
});
