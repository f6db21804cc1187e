// Measures workloads named on stdin, one after the other, in this process; prints JSON lines.
import { createInterface } from 'node:readline';
import * as torch from 'typetorch';
import { workloads } from './workloads.mjs';

if (process.env.BENCH_THREADS !== undefined) torch.setNumThreads(Number(process.env.BENCH_THREADS));

/** Median, minimum and maximum of seven rounds of about 100 ms, after a warm-up of 1.5 s, in microseconds. */
function measure(setup) {
  const run = setup();
  run();
  let start = performance.now();
  run();
  const once = performance.now() - start;
  const count = Math.max(1, Math.min(100000, Math.floor(100 / Math.max(once, 1e-4))));
  start = performance.now();
  while (performance.now() - start < 1500) for (let i = 0; i < count; i++) run();
  const rounds = [];
  for (let r = 0; r < (once > 500 ? 3 : 7); r++) {
    start = performance.now();
    for (let i = 0; i < count; i++) run();
    rounds.push(((performance.now() - start) / count) * 1000);
  }
  rounds.sort((a, b) => a - b);
  return { median: rounds[rounds.length >> 1], min: rounds[0], max: rounds.at(-1) };
}

console.log(JSON.stringify({ version: torch.version, backend: torch.backendName() }));
for await (const line of createInterface({ input: process.stdin })) {
  const name = line.trim();
  console.log(JSON.stringify({ name, ...measure(workloads[name]) }));
}
