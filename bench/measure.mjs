// Times one workload of one runtime; the same code in Node and in a page. `peers/pytorch/main.py` has it in Python.

/** Thrown by a runtime's workload that needs something the runtime does not have. */
export class Missing extends Error {
  name = 'Missing';
}

/** Thrown where a program cannot be opened at all. */
export class Unavailable extends Error {}

function repeat(run, count) {
  for (let i = 0; i < count; i++) run();
}

async function repeatAwaiting(run, count) {
  for (let i = 0; i < count; i++) await run();
}

/**
 * Median, minimum and maximum of the rounds, in microseconds per call. `run` may return a promise, which is awaited.
 * `turn` is given in pages: it ends the current turn of the event loop, without which pages free no memory. Rounds
 * contain such turns, at most every 5 ms.
 */
async function measure(run, plan, turn) {
  const begin = performance.now();
  const first = run();
  const isAsync = typeof first?.then === 'function';
  await first;
  const firstCall = performance.now() - begin;
  if (firstCall > plan.firstCounts) return summary([firstCall]);

  /** Milliseconds per call. */
  async function time(count, batch = count) {
    const start = performance.now();
    for (let done = 0; done < count; done += batch) {
      const size = Math.min(batch, count - done);
      if (isAsync) await repeatAwaiting(run, size);
      else repeat(run, size);
      await turn?.();
    }
    return (performance.now() - start) / count;
  }

  await turn?.();
  let once = await time(1);
  if (once > plan.once) {
    // A second try: the first may have met a busy machine.
    const tries = [once, await time(1)];
    once = Math.min(...tries);
    if (once > plan.once) return summary(tries);
  }
  const batch = () => (turn === undefined ? undefined : Math.max(1, Math.floor(5 / once)));
  let count = 1;
  const start = performance.now();
  do {
    once = Math.max(await time(count, batch()), 1e-6);
    count = Math.max(1, Math.min(count * 8, Math.floor(plan.round / once)));
  } while (performance.now() - start < plan.warmUp);

  const rounds = [];
  for (let r = 0; r < (once > plan.slow ? plan.slowRounds : plan.rounds); r++) rounds.push(await time(count, batch()));
  return summary(rounds);
}

export function summary(milliseconds) {
  const sorted = milliseconds.map((ms) => ms * 1000).sort((a, b) => a - b);
  return { median: sorted[(sorted.length - 1) >> 1], min: sorted[0], max: sorted.at(-1), rounds: sorted.length };
}

/** The first line of what went wrong. */
export const reasonOf = (error) => String(error?.message ?? error).split('\n')[0];

/** One entry of the results: times, or why there are none. */
export async function measureWorkload(runtime, workload, plan, host) {
  try {
    const setup = runtime.workloads[workload.kind];
    if (setup === undefined) throw new Missing(`no program for "${workload.kind}"`);
    return await measure(await setup(workload, host), plan, host.turn);
  } catch (error) {
    return error instanceof Missing ? { missing: error.message } : { failed: reasonOf(error) };
  } finally {
    runtime.cleanUp?.();
  }
}
