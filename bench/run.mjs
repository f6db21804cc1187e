// npm run bench [-- --json] [--only NAME…] [--python PATH]
// Runs each workload here (native and WebAssembly) and, where a Python with PyTorch is given, there, in turns in one
// run; prints medians and ratios and writes bench/RESULTS.md.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { json: { type: 'boolean' }, only: { type: 'string', multiple: true }, python: { type: 'string' } },
});

class Peer {
  constructor(label, command, args, env = {}) {
    this.label = label;
    this.child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async read() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.label} ended early`);
    return JSON.parse(value);
  }

  async start() {
    this.about = await this.read();
    return this;
  }

  async measure(name) {
    this.child.stdin.write(`${name}\n`);
    const result = await this.read();
    // Threads of some runtimes spin for a while after work; the next program shall not pay for that.
    await new Promise((resolve) => setTimeout(resolve, 400));
    return result;
  }

  stop() {
    this.child.stdin.end();
  }
}

const here = (label, env) => new Peer(label, process.execPath, ['bench/child.mjs'], env).start();
const own = await here('native', {});
const wasm = await here('wasm', { TYPETORCH_NATIVE: '0' });
const torches = values.python
  ? [
      await new Peer('PyTorch, 1 thread', values.python, ['bench/pytorch.py', '1']).start(),
      await new Peer('PyTorch, 2 threads', values.python, ['bench/pytorch.py', '2']).start(),
    ]
  : [];

const names = [
  'matmul 256',
  'matmul 512',
  'matmul 1024',
  'matmul 2048',
  'add of 4',
  'add of 4 with gradient',
  'chain of 1000 adds with backward',
  'exp of 4194304',
  'tanh of 4194304',
  'sum of 4194304',
  'softmax [4096, 1024]',
  'MLP step',
  'MNIST epoch',
].filter((name) => values.only === undefined || values.only.some((part) => name.includes(part)));

const show = (us) =>
  us >= 1e6 ? `${(us / 1e6).toFixed(2)} s` : us >= 1e3 ? `${(us / 1e3).toFixed(2)} ms` : `${us.toFixed(2)} µs`;
const spread = (m) => `${show(m.median)} (${show(m.min)} – ${show(m.max)})`;

const rows = [];
for (const name of names) {
  const row = { name, native: await own.measure(name), wasm: await wasm.measure(name) };
  for (const peer of torches) {
    const result = await peer.measure(name);
    if (row.pytorch === undefined || result.median < row.pytorch.median) row.pytorch = { ...result, label: peer.label };
  }
  rows.push(row);
  if (!values.json) {
    const ratio = row.pytorch
      ? `  PyTorch ${show(row.pytorch.median)}  ratio ${(row.native.median / row.pytorch.median).toFixed(2)}`
      : '';
    console.log(
      `${name.padEnd(34)} native ${show(row.native.median).padStart(10)}  wasm ${show(row.wasm.median).padStart(10)}${ratio}`,
    );
  }
}
for (const peer of [own, wasm, ...torches]) peer.stop();
if (values.json) console.log(JSON.stringify({ native: own.about, wasm: wasm.about, rows }, null, 2));

if (values.only === undefined) {
  const flags = values.python ? ['--python', 'PATH'] : [];
  const table = rows.map((r) => {
    const torch = r.pytorch ? `${spread(r.pytorch)}, ${r.pytorch.label.split(', ')[1]}` : '–';
    const ratio = r.pytorch ? (r.native.median / r.pytorch.median).toFixed(2) : '–';
    const wasmRatio = r.pytorch ? (r.wasm.median / r.pytorch.median).toFixed(2) : '–';
    return `| ${r.name} | ${spread(r.native)} | ${spread(r.wasm)} | ${torch} | ${ratio} | ${wasmRatio} |`;
  });
  writeFileSync(
    new URL('./RESULTS.md', import.meta.url),
    `# Measured speed

Written by \`npm run bench${flags.length ? ` -- ${flags.join(' ')}` : ''}\` on ${new Date().toISOString().slice(0, 10)}.

- Machine: ${cpus()[0].model}, ${cpus().length} cores; Node ${process.versions.node}
- TypeTorch ${own.about.version}: ${own.about.backend}, ${cpus().length} threads at most, and ${wasm.about.backend}, one thread
- ${torches.length ? `PyTorch ${torches[0].about.version} at 1 and 2 threads; its better median counts` : 'PyTorch was not at hand'}

Medians of seven rounds (minimum – maximum) after a warm-up of 1.5 s, all programs measured in turns in one run. Ratios are time here over time
in PyTorch: below 1 is faster. The MNIST epoch reads, transforms and batches images here, while PyTorch gets them ready
in a \`TensorDataset\`.

| Workload | native | wasm | PyTorch | ratio native | ratio wasm |
|---|---|---|---|---|---|
${table.join('\n')}
`,
  );
}
