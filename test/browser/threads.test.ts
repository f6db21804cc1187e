import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ISOLATED, run, runInNode, runInWorker, visit } from './support/page.js';

/** Threads where the page is cross-origin isolated, one thread elsewhere, the same bits in both. */

const STEPS = 50;
const THREADS = 4;

declare global {
  var instances: WebAssembly.Instance[];
}

/** Runs before the package: keeps the instance of the kernels, which knows how many threads joined. */
function keepInstances(): void {
  globalThis.instances = [];
  WebAssembly.Instance = class extends WebAssembly.Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      globalThis.instances.push(this);
    }
  };
}

const joined = (page: Page) => page.evaluate(() => (instances[0].exports.threads_ready as () => number)());

let wanted: number[];
beforeAll(async () => {
  wanted = await runInNode('wasm', 'losses', STEPS);
});

test('a page that is not isolated uses one thread, whatever it asks for', async () => {
  await using visited = await visit();
  const { page, problems } = visited;
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  for (const place of [run, runInWorker]) {
    expect(await place(page, 'getNumThreads')).toBe(1);
    const losses = await place(page, 'losses', STEPS);
    expect(losses.map((loss) => loss.toFixed(5))).toEqual(wanted.map((loss) => loss.toFixed(5)));
    await place(page, 'setNumThreads', THREADS);
    expect(await place(page, 'getNumThreads')).toBe(1);
    expect(await place(page, 'losses', STEPS)).toEqual(losses);
  }
  expect(problems).toEqual([]);
});

describe('an isolated page', () => {
  test('uses several threads, with the same bits as one', async () => {
    await using visited = await visit({ headers: ISOLATED, before: keepInstances });
    const { page, problems } = visited;
    const cores = await page.evaluate(() => navigator.hardwareConcurrency);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(await run(page, 'getNumThreads')).toBe(Math.min(cores, 16));

    await run(page, 'setNumThreads', 1);
    const one = await run(page, 'losses', STEPS);
    expect(one.map((loss) => loss.toFixed(5))).toEqual(wanted.map((loss) => loss.toFixed(5)));
    expect(await joined(page)).toBe(0);

    await run(page, 'setNumThreads', THREADS);
    expect(await run(page, 'losses', STEPS)).toEqual(one);
    await expect.poll(() => joined(page), { timeout: 20_000 }).toBe(THREADS - 1);
    expect(await run(page, 'losses', STEPS)).toEqual(one);
    const same = { matmul: true, exp: true, sum: true, softmax: true };
    expect(await run(page, 'sameOnThreads', THREADS)).toEqual(same);
    expect(problems).toEqual([]);
  });

  test('uses them in its workers too', async () => {
    await using visited = await visit({ headers: ISOLATED });
    const { page, problems } = visited;
    await runInWorker(page, 'setNumThreads', 1);
    const one = await runInWorker(page, 'losses', STEPS);
    await runInWorker(page, 'setNumThreads', THREADS);
    expect(await runInWorker(page, 'getNumThreads')).toBe(THREADS);
    for (let i = 0; i < 3; i++) expect(await runInWorker(page, 'losses', STEPS)).toEqual(one);
    expect(Object.values(await runInWorker(page, 'sameOnThreads', THREADS))).not.toContain(false);
    expect(problems).toEqual([]);
  });

  const policies = {
    'no workers': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'",
    'no workers from blobs': "script-src 'self' 'wasm-unsafe-eval'",
  };
  for (const [what, policy] of Object.entries(policies)) {
    test(`works alone where a content security policy allows ${what}`, async () => {
      await using visited = await visit({
        headers: { ...ISOLATED, 'Content-Security-Policy': policy },
        before: keepInstances,
      });
      const { page, problems } = visited;
      await run(page, 'setNumThreads', THREADS);
      for (let i = 0; i < 2; i++) {
        const losses = await run(page, 'losses', STEPS);
        expect(losses.map((loss) => loss.toFixed(5))).toEqual(wanted.map((loss) => loss.toFixed(5)));
      }
      expect(await joined(page)).toBe(0);
      // Chromium itself reports what the policy stopped; there is nothing else.
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.filter((problem) => !problem.includes('Content Security Policy'))).toEqual([]);
    });
  }
});
