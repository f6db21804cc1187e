// Chromium's part of the benchmark: the same workloads, bundled for the page and run from a small local server.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { reasonOf, summary, Unavailable } from './measure.mjs';
import { bench, mnistFolder, peerFolder } from './paths.mjs';
import { titles, versionOf } from './programs.mjs';

const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** TypeTorch runs in a worker, as its guide says; the others run where their guides have them, in the page. */
const html = (script, inWorker) => `<!doctype html><meta charset="utf-8"><title>${script}</title>
<script>
  const log = console.log;
  console.log = (...args) => {
    if (String(args[0]).startsWith('loss')) globalThis.startedAt ??= performance.now();
    log(...args);
  };
</script>
<script type="module">${inWorker ? `new Worker('/${script}.js', { type: 'module' });` : `import '/${script}.js';`}</script>`;

async function bundle(entry) {
  const { outputFiles } = await build({
    ...entry,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

/** Serves the bundles, the data set and the peers' WebAssembly, in a way that lets memory be shared with workers. */
async function startServer(scripts) {
  const wasm = `${peerFolder('tfjs')}node_modules/@tensorflow/tfjs-backend-wasm/dist`;
  const content = async ({ pathname, searchParams }) => {
    const [, folder, file] = pathname.split('/');
    if (pathname === '/') return ['text/html', html(searchParams.get('run'), searchParams.has('worker'))];
    if (folder === 'mnist') return ['application/octet-stream', await readFile(`${mnistFolder}/${file}`)];
    if (folder === 'tfjs-backend-wasm') return ['application/wasm', await readFile(`${wasm}/${file}`)];
    const script = scripts.get(folder.replace(/\.js$/, ''));
    if (script === undefined) throw new Error('not found');
    return ['text/javascript', script];
  };
  const server = createServer(async (request, response) => {
    try {
      const [type, body] = await content(new URL(request.url, 'http://localhost'));
      response.writeHead(200, {
        'content-type': type,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** A page that measures, opened again after a crash or a workload that took too long. */
class PageProgram {
  constructor({ column, label, script, inWorker, version, browser, address }) {
    Object.assign(this, { column, label, script, inWorker, version, browser, address });
  }

  async open() {
    this.context = await this.browser.newContext();
    this.page = await this.context.newPage();
    const worker = this.inWorker ? this.page.waitForEvent('worker') : undefined;
    const problems = [];
    this.page.on('pageerror', (error) => problems.push(error.message));
    await this.page.goto(`${this.address}/?run=${this.script}${this.inWorker ? '&worker' : ''}`);
    this.scope = (await worker) ?? this.page;
    const deadline = performance.now() + 20_000;
    while (!(await this.scope.evaluate(() => globalThis.bench !== undefined))) {
      if (problems.length > 0 || performance.now() > deadline) throw new Error(problems[0] ?? 'the page is not ready');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.about = { version: this.version, ...(await this.scope.evaluate(() => globalThis.bench.ready())) };
    return this;
  }

  async close() {
    this.scope = undefined;
    await this.context?.close().catch(() => {});
  }

  async measure(workload, plan) {
    if (workload.kind === 'start') return this.measureStart(plan);
    let timer;
    try {
      if (this.scope === undefined) await this.open();
      const measured = this.scope.evaluate(([w, p]) => globalThis.bench.measure(w, p), [workload, plan]);
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`took longer than ${plan.limit / 1000} s`)), plan.limit);
      });
      return await Promise.race([measured, late]);
    } catch (error) {
      await this.close();
      return { failed: reasonOf(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** From the start of the navigation of a fresh page to what it prints after its first training step. */
  async measureStart(plan) {
    const times = [];
    for (let i = 0; i <= plan.starts; i++) {
      const context = await this.browser.newContext();
      try {
        const page = await context.newPage();
        await page.goto(`${this.address}/?run=${this.script}-start`);
        await page.waitForFunction(() => globalThis.startedAt !== undefined, undefined, { timeout: 30_000 });
        times.push(await page.evaluate(() => globalThis.startedAt));
      } catch (error) {
        return { failed: reasonOf(error) };
      } finally {
        await context.close();
      }
    }
    return summary(times.slice(1));
  }
}

const runtimes = { typetorch: './typetorch', tfjs: './peers/tfjs', 'jax-js': './peers/jax-js' };

/** Opens a page for TypeTorch and for each of the peers. */
export async function openPages(peers) {
  const scripts = new Map();
  for (const name of ['typetorch', ...peers]) {
    const folder = runtimes[name];
    const main = `import * as runtime from '${folder}/workloads.mjs'; import { serve } from './page.mjs'; serve(runtime);`;
    scripts.set(name, await bundle({ stdin: { contents: main, resolveDir: bench } }));
    scripts.set(`${name}-start`, await bundle({ entryPoints: [`${bench}${folder}/start.mjs`] }));
  }
  const server = await startServer(scripts);
  const address = `http://127.0.0.1:${server.address().port}`;
  const browser = await launch().catch((error) => {
    server.close();
    throw error;
  });
  const close = async () => {
    await browser.close();
    server.close();
  };
  try {
    const programs = [
      new PageProgram({ column: 'wasm', label: 'TypeTorch', script: 'typetorch', inWorker: true, browser, address }),
    ];
    for (const peer of peers) {
      const page = { column: peer, label: titles[peer], script: peer, version: versionOf(peer) };
      programs.push(new PageProgram({ ...page, inWorker: false, browser, address }));
    }
    for (const program of programs) await program.open();
    return { programs, version: browser.version(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function launch() {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
  return chromium
    .launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet] })
    .catch((error) => {
      throw new Unavailable(`Chromium does not start (CHROMIUM=${chromiumPath}): ${reasonOf(error)}`);
    });
}
