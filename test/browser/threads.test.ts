import { beforeAll, describe, expect, test } from 'vitest';
import { digits, ISOLATED, places, run, runInNode, visit } from './support/page.js';

/** Threads where the page is cross-origin isolated, one thread elsewhere, the same bits in both. */

const STEPS = 50;
const THREADS = 4;

let wanted: number[];
beforeAll(async () => {
  wanted = await runInNode('wasm', 'losses', STEPS);
});

test('a page that is not isolated uses one thread, whatever it asks for', async () => {
  await using visited = await visit();
  const { page, problems } = visited;
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  for (const runIn of Object.values(places)) {
    expect(await runIn(page, 'getNumThreads')).toBe(1);
    const losses = await runIn(page, 'losses', STEPS);
    expect(digits(losses)).toEqual(digits(wanted));
    await runIn(page, 'setNumThreads', THREADS);
    expect(await runIn(page, 'getNumThreads')).toBe(1);
    expect(await runIn(page, 'losses', STEPS)).toEqual(losses);
  }
  expect(problems).toEqual([]);
});

describe('an isolated page', () => {
  for (const [place, runIn] of Object.entries(places)) {
    test(`uses several threads in ${place}, with the same bits as one`, async () => {
      await using visited = await visit({ headers: ISOLATED });
      const { page, problems } = visited;
      const cores = await page.evaluate(() => navigator.hardwareConcurrency);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      expect(await runIn(page, 'getNumThreads')).toBe(Math.min(cores, 16));

      await runIn(page, 'setNumThreads', 1);
      const one = await runIn(page, 'losses', STEPS);
      expect(digits(one)).toEqual(digits(wanted));
      expect(await runIn(page, 'threadsJoined')).toBe(0);

      await runIn(page, 'setNumThreads', THREADS);
      expect(await runIn(page, 'losses', STEPS)).toEqual(one);
      await expect.poll(() => runIn(page, 'threadsJoined'), { timeout: 20_000 }).toBe(THREADS - 1);
      expect(await runIn(page, 'losses', STEPS)).toEqual(one);
      const same = { matmul: true, exp: true, sum: true, softmax: true };
      expect(await runIn(page, 'sameOnThreads', THREADS)).toEqual(same);
      expect(problems).toEqual([]);
    });
  }

  const policies = {
    'no workers': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'",
    'no workers from blobs': "script-src 'self' 'wasm-unsafe-eval'",
  };
  for (const [what, policy] of Object.entries(policies)) {
    test(`works alone where a content security policy allows ${what}`, async () => {
      await using visited = await visit({ headers: { ...ISOLATED, 'Content-Security-Policy': policy } });
      const { page, problems } = visited;
      await run(page, 'setNumThreads', THREADS);
      for (let i = 0; i < 2; i++) {
        expect(digits(await run(page, 'losses', STEPS))).toEqual(digits(wanted));
      }
      expect(await run(page, 'threadsJoined')).toBe(0);
      // Chromium itself reports what the policy stopped; there is nothing else.
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.filter((problem) => !problem.includes('Content Security Policy'))).toEqual([]);
    });
  }
});
