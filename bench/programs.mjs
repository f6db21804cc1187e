// The programs that are measured in Node's part of the benchmark: each a process of its own, fed one workload at a time.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { reasonOf, summary, Unavailable } from './measure.mjs';
import { bench, mnistFolder, peerFolder, root, versionIn } from './paths.mjs';

export const peerNames = ['pytorch', 'tfjs', 'jax-js'];
export const titles = { native: 'native', wasm: 'wasm', pytorch: 'PyTorch', tfjs: 'tfjs', 'jax-js': 'jax-js' };

/** The Python that setup made. */
export function venvPython() {
  const folder = `${peerFolder('pytorch')}venv/`;
  return process.platform === 'win32' ? `${folder}Scripts/python.exe` : `${folder}bin/python`;
}

const packages = { tfjs: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'], 'jax-js': ['@jax-js/jax'] };

export function isInstalled(peer, python) {
  // A Python that was named shall be tried, and fail loudly.
  if (peer === 'pytorch') return python !== undefined || existsSync(venvPython());
  return packages[peer].every((name) => versionIn(peer, name) !== undefined);
}

export const versionOf = (peer) => versionIn(peer, packages[peer][0]);

const lastError = (text) => text.split('\n').findLast((line) => /error/i.test(line));

/** A process that measures, or that starts, trains one step and ends. */
class ProcessProgram {
  /** @param start - arguments of the program that trains one step */
  constructor({ column, label, command, args, start, env = {}, version }) {
    Object.assign(this, { column, label, command, args, startArgs: start, version });
    this.env = { ...process.env, ...env };
  }

  async open() {
    this.complaints = '';
    this.child = spawn(this.command, this.args, { cwd: root, env: this.env, stdio: 'pipe' });
    this.child.on('error', (error) => {
      this.complaints += `Error: ${error.message}`;
    });
    this.child.stdin.on('error', () => {});
    this.child.stderr.on('data', (chunk) => {
      this.complaints = (this.complaints + chunk).slice(-4000);
    });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.about = { version: this.version, ...(await this.read()) };
    return this;
  }

  async read() {
    const { value, done } = await this.lines.next();
    if (!done) return JSON.parse(value);
    const { exitCode, signalCode } = this.child;
    this.child = undefined;
    throw new Error(lastError(this.complaints) ?? `ended early (${signalCode ?? exitCode})`);
  }

  async measure(workload, plan) {
    if (workload.kind === 'start') return this.measureStart(plan);
    try {
      if (this.child === undefined || this.child.exitCode !== null) await this.open();
      const { child } = this;
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill('SIGKILL');
      }, plan.limit);
      child.stdin.write(`${JSON.stringify({ workload, plan })}\n`);
      return await this.read()
        .catch((error) => {
          throw late ? new Error(`took longer than ${plan.limit / 1000} s`) : error;
        })
        .finally(() => clearTimeout(timer));
    } catch (error) {
      return { failed: reasonOf(error) };
    }
  }

  /** Wall-clock from the start of a fresh process to what it prints after its first training step. */
  async measureStart(plan) {
    const times = [];
    try {
      // The first fills the caches of the file system and is not counted.
      for (let i = 0; i <= plan.starts; i++) times.push(await this.startOnce());
    } catch (error) {
      return { failed: reasonOf(error) };
    }
    return summary(times.slice(1));
  }

  startOnce() {
    return new Promise((resolve, reject) => {
      const begin = performance.now();
      let end;
      let complaints = '';
      const child = spawn(this.command, this.startArgs, {
        cwd: root,
        env: this.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child.on('error', reject);
      child.stderr.on('data', (chunk) => {
        complaints += chunk;
      });
      child.stdout.on('data', (chunk) => {
        if (String(chunk).includes('loss')) end ??= performance.now();
      });
      child.on('close', () => {
        if (end === undefined) reject(new Error(lastError(complaints) ?? 'ended without a loss'));
        else resolve(end - begin);
      });
    });
  }

  async close() {
    this.child?.stdin.end();
  }
}

const nodeProgram = (options) =>
  new ProcessProgram({
    command: process.execPath,
    args: [`${bench}child.mjs`, options.runtime],
    start: [`${bench}${options.runtime === 'typetorch' ? 'typetorch' : `peers/${options.runtime}`}/start.mjs`],
    ...options,
  });

/** Opens TypeTorch's programs and those of the peers. */
export async function openPrograms(peers, python) {
  const programs = [nodeProgram({ column: 'native', label: 'native', runtime: 'typetorch' })];
  programs.push(nodeProgram({ column: 'wasm', label: 'wasm', runtime: 'typetorch', env: { TYPETORCH_NATIVE: '0' } }));
  for (const peer of peers) {
    if (peer !== 'pytorch') {
      programs.push(nodeProgram({ column: peer, label: titles[peer], runtime: peer, version: versionOf(peer) }));
      continue;
    }
    for (const threads of new Set([1, availableParallelism()])) {
      programs.push(
        new ProcessProgram({
          column: 'pytorch',
          label: `PyTorch, ${threads} thread${threads === 1 ? '' : 's'}`,
          command: python ?? venvPython(),
          args: [`${peerFolder(peer)}main.py`, String(threads), mnistFolder],
          start: [`${peerFolder(peer)}start.py`, String(threads)],
        }),
      );
    }
  }
  for (const program of programs) {
    try {
      await program.open();
    } catch (error) {
      for (const opened of programs) await opened.close();
      throw new Unavailable(`${program.label} does not start: ${reasonOf(error)}`);
    }
  }
  // Where no native kernels were built, both would be WebAssembly.
  if (!programs[0].about.backend.startsWith('native')) await programs.shift().close();
  return programs;
}
