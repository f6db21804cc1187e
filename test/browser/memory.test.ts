import type { CDPSession } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { places, visit } from './support/page.js';

/** Memory frees itself between turns of the event loop. */

const MiB = 2 ** 20;
const WARM_UP = 2000;
const STEPS = 10_000;

/** Bytes of JavaScript objects of a page that are in use: `performance.memory` without its rounding. */
async function heap(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  return (await session.send('Runtime.getHeapUsage')).usedSize;
}

describe('10,000 plain training steps take no more memory than 2,000', () => {
  const ways = {
    'with one awaited read in each': 'awaitedReads',
    'with `for await` over a loader': 'awaitedLoader',
    'with turns of the event loop from time to time': 'timeouts',
  } as const;
  for (const [way, program] of Object.entries(ways)) {
    for (const [place, runIn] of Object.entries(places)) {
      test(`${way}, in ${place}`, { timeout: 120_000 }, async ({ task }) => {
        await using visited = await visit();
        const { page, problems } = visited;
        const session = await page.context().newCDPSession(page);
        await runIn(page, program, 500, 0);
        const objects = await heap(session);
        const { before, after, loss } = await runIn(page, program, STEPS, WARM_UP);
        const grown = (await heap(session)) - objects;
        const inMiB = (bytes: number) => `${(bytes / MiB).toFixed(2)} MiB`;
        task.meta.figures = `reserved ${inMiB(before)}, then ${inMiB(after)}; objects of the page ${inMiB(objects)}, then ${inMiB(objects + grown)}`;
        // A step leaves at least 67 KB to the collector: 8,000 steps that free nothing would reserve 520 MiB.
        expect(after - before).toBeLessThanOrEqual(32 * MiB);
        expect(loss).toBeLessThan(0.5);
        // Of a worker's objects Chromium tells nothing here; the page has none then.
        expect(grown).toBeLessThan(1 * MiB);
        expect(problems).toEqual([]);
      });
    }
  }
});

describe('large results are taken back within a few of them', () => {
  for (const [place, runIn] of Object.entries(places)) {
    test(`in ${place}`, async ({ task }) => {
      await using visited = await visit();
      const { before, after } = await runIn(visited.page, 'largeResults', 400, 100);
      task.meta.figures = `reserved ${before / MiB} MiB, then ${after / MiB} MiB`;
      // 400 of them take 6.4 GiB.
      expect(after).toBeLessThanOrEqual(before);
      expect(before).toBeLessThanOrEqual(256 * MiB);
      expect(visited.problems).toEqual([]);
    });
  }
});

describe('a loop that gives no turn', () => {
  for (const [place, runIn] of Object.entries(places)) {
    test(`is stopped with words that help, and goes on after a turn, in ${place}`, async () => {
      await using visited = await visit();
      const { page, problems } = visited;
      const steps = 1200;
      const wanted = await runIn(page, 'outrun', 2 ** 30, steps);
      expect(wanted.message).toBe('');
      // Budgets that end in different places of a step.
      for (let i = 0; i < 8; i++) {
        const got = await runIn(page, 'outrun', 48 * MiB + i * 10_000, steps);
        expect(got).toMatchObject({ name: 'RuntimeError', runtimeError: true, kept: true });
        expect(got.message).toContain('for await');
        expect(got.message).toContain('await loss.cpu()');
        expect(got.passed).toBeGreaterThan(50);
        expect(got.losses).toEqual(wanted.losses);
      }
      expect(problems).toEqual([]);
    });
  }
});
