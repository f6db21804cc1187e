// Measures the workloads in TypeTorch and in the peers that are installed, in turns in one run.
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import { parseArgs } from 'node:util';
import { Unavailable } from './measure.mjs';
import { isInstalled, openPrograms, peerNames, titles } from './programs.mjs';
import { line, withReport } from './report.mjs';
import { plan as fullPlan, quickPlan, workloads } from './workloads.mjs';

const usage = `npm run bench [-- options]

  --only NAME…     these workloads only: names, or parts of names
  --peers A,B      these peers: ${peerNames.join(', ')}, or none; without it, all that are installed
  --python PATH    a Python that has PyTorch, in place of the one that npm run bench:setup makes
  --browser        in Chromium (CHROMIUM=PATH, if it is not found) in place of Node; no PyTorch there
  --json           print JSON
  --help

Writes bench/RESULTS.md, but for runs with --only. BENCH_QUICK=1 measures roughly, for work on the benchmark itself.`;

class UsageError extends Error {}

function readOptions() {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true },
        peers: { type: 'string', multiple: true },
        python: { type: 'string' },
        browser: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  if (positionals.length > 0 && values.only === undefined) throw new UsageError(`unexpected ${positionals.join(' ')}`);
  return { ...values, only: values.only && [...values.only, ...positionals] };
}

/** Workloads by name, or by part of a name. */
function choose(only) {
  if (only === undefined) return workloads;
  const chosen = new Set();
  for (const part of only) {
    const exact = workloads.filter(({ name }) => name === part);
    const found = exact.length > 0 ? exact : workloads.filter(({ name }) => name.includes(part));
    if (found.length === 0) {
      throw new UsageError(`no workload "${part}"; there are\n  ${workloads.map(({ name }) => name).join('\n  ')}`);
    }
    for (const workload of found) chosen.add(workload);
  }
  return workloads.filter((workload) => chosen.has(workload));
}

function choosePeers({ peers, python, browser }) {
  const possible = browser ? peerNames.filter((peer) => peer !== 'pytorch') : peerNames;
  const installed = possible.filter((peer) => isInstalled(peer, python));
  if (peers === undefined) return installed;
  const named = peers.flatMap((list) => list.split(',')).filter((name) => name !== '' && name !== 'none');
  for (const peer of named) {
    if (!peerNames.includes(peer)) throw new UsageError(`no peer "${peer}"; there are ${peerNames.join(', ')}`);
    if (!possible.includes(peer)) throw new UsageError(`${titles[peer]} does not run in a browser`);
    if (!installed.includes(peer)) {
      throw new UsageError(`${titles[peer]} is not installed: npm run bench:setup -- --peers ${peer}`);
    }
  }
  return possible.filter((peer) => named.includes(peer));
}

/** What was typed, without paths of this machine. */
function commandLine() {
  const args = process.argv.slice(2).map((arg, i, all) => (all[i - 1] === '--python' ? 'PATH' : arg));
  const shown = args
    .map((arg) => arg.replace(/^--python=.*/, '--python=PATH'))
    .map((a) => (/\s/.test(a) ? `"${a}"` : a));
  return ['npm run bench', ...(shown.length > 0 ? ['--', ...shown] : [])].join(' ');
}

async function open({ browser, python }, peers) {
  if (browser) {
    const { openPages } = await import('./browser.mjs');
    const { programs, version, close } = await openPages(peers);
    return { programs, close, host: `Chromium ${version}, headless`, environment: 'Chromium' };
  }
  const programs = await openPrograms(peers, python);
  const close = async () => {
    for (const program of programs) await program.close();
  };
  return { programs, close, host: `Node ${process.versions.node}`, environment: 'Node' };
}

/** Measures one workload everywhere; of several programs in a column, the best counts. */
async function measureRow(workload, programs, plan) {
  const results = {};
  for (const program of programs) {
    const result = await program.measure(workload, plan);
    const several = programs.filter(({ column }) => column === program.column).length > 1;
    if (several && result.median !== undefined) result.threads = program.about.threads;
    const before = results[program.column];
    if (before?.median === undefined || result.median < before.median) results[program.column] = result;
    await new Promise((resolve) => setTimeout(resolve, plan.pause));
  }
  return results;
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(usage);
  const chosen = choose(options.only);
  const peers = choosePeers(options);
  const quick = process.env.BENCH_QUICK === '1';
  const plan = quick ? quickPlan : fullPlan;
  const say = options.json ? console.error : console.log;

  const { programs, close, host, environment } = await open(options, peers);
  const report = {
    environment,
    command: commandLine(),
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0].model}, ${availableParallelism()} cores, ${platform()} ${arch()}; ${host}`,
    columns: [...new Set(programs.map(({ column }) => column))],
    programs: programs.map(({ column, label, about }) => ({ column, label, about })),
    rows: [],
  };
  try {
    for (const workload of chosen) {
      const name = (options.browser && workload.nameInPage) || workload.name;
      const row = { name, results: await measureRow(workload, programs, plan) };
      report.rows.push(row);
      say(line(report, row));
    }
  } finally {
    await close();
  }
  if (options.json) console.log(JSON.stringify(report, null, 2));
  if (options.only !== undefined || quick) return;
  const path = new URL('./RESULTS.md', import.meta.url);
  writeFileSync(path, withReport(readFileSync(path, 'utf8'), report, plan));
  say('written: bench/RESULTS.md');
}

try {
  await main();
} catch (error) {
  const isUsage = error instanceof UsageError;
  if (isUsage || error instanceof Unavailable) console.error(error.message);
  else console.error(error);
  if (isUsage) console.error('\nnpm run bench -- --help shows the options');
  process.exitCode = 2;
}
