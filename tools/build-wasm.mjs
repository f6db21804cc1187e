// Builds the WebAssembly kernels, in a variant with and one without relaxed SIMD, by Clang compiled to WebAssembly.
import { createHash } from 'node:crypto';
import { on, once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, MessageChannel, Worker, workerData } from 'node:worker_threads';

const self = fileURLToPath(import.meta.url);
const root = join(dirname(self), '..');
const kernels = join(root, 'kernels');
const out = join(root, 'build', 'wasm');

const flags = [
  '--target=wasm32-unknown-unknown',
  '-O2',
  '-std=c++20',
  '-ffreestanding',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-math-errno',
  '-ffp-contract=off',
  '-fwrapv',
  '-fvisibility=hidden',
  '-mbulk-memory',
  '-matomics',
  '-mnontrapping-fptoint',
  '-msign-ext',
  '-DTT_ISA=wasm',
  '-Ikernels',
];
const linkFlags = [
  '-Wl,--no-entry',
  '-Wl,--import-memory',
  '-Wl,--shared-memory',
  '-Wl,--initial-memory=8388608',
  '-Wl,--max-memory=4294967296',
  '-Wl,--export=__stack_pointer',
  '-Wl,--export=__wasm_init_tls',
  '-Wl,--export=__tls_size',
  '-Wl,--export=__tls_align',
  '-Wl,--stack-first',
  '-Wl,-z,stack-size=1048576',
  '-Wl,--strip-all',
];
const variants = { simd: ['-msimd128'], relaxed: ['-msimd128', '-mrelaxed-simd'] };

// Every source and header below kernels/ but the native ones, as path -> contents.
function readSources(folder = kernels, found = {}) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (path !== join(kernels, 'native')) readSources(path, found);
    } else if (/\.(cpp|h|inc)$/.test(entry.name)) {
      found[relative(root, path).replaceAll('\\', '/')] = readFileSync(path, 'utf8');
    }
  }
  return found;
}

// A source and all that it includes. Includes are looked up beside the file, then in kernels/.
function closureOf(path, sources, found = {}) {
  if (found[path] !== undefined || sources[path] === undefined) return found;
  found[path] = sources[path];
  for (const [, name] of sources[path].matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)) {
    const beside = posix.join(posix.dirname(path), name);
    closureOf(sources[beside] === undefined ? posix.join('kernels', name) : beside, sources, found);
  }
  return found;
}

function asTree(files) {
  const tree = {};
  for (const [path, contents] of Object.entries(files)) {
    const folders = path.split('/');
    const name = folders.pop();
    let at = tree;
    for (const folder of folders) {
      at[folder] ??= {};
      at = at[folder];
    }
    at[name] = contents;
  }
  return tree;
}

function hashOf(value) {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function isFresh(path, hash) {
  return existsSync(path) && existsSync(`${path}.hash`) && readFileSync(`${path}.hash`, 'utf8') === hash;
}

function save(path, hash, contents) {
  writeFileSync(path, contents);
  writeFileSync(`${path}.hash`, hash);
}

async function clang(args, files, result) {
  const { runClang } = await import('@yowasp/clang');
  const decoder = new TextDecoder();
  let messages = '';
  const print = (bytes) => {
    if (bytes) messages += decoder.decode(bytes, { stream: true });
  };
  try {
    const out = await runClang(['clang++', ...args, '-o', result], asTree(files), { stdout: print, stderr: print });
    if (messages) console.error(messages.trimEnd());
    return out[result];
  } catch (error) {
    throw new Error(messages || error.message);
  }
}

// Loading the compiler takes seconds, so each worker compiles one source after another.
async function work({ port, sources }) {
  for await (const [job] of on(port, 'message')) {
    if (!job) break;
    try {
      const files = job.objects ?? closureOf(job.source, sources);
      if (job.objects) for (const path of Object.keys(files)) files[path] = readFileSync(join(out, files[path]));
      save(job.path, job.hash, await clang(job.args, files, job.objects ? 'out.wasm' : 'out.o'));
      port.postMessage({});
    } catch (error) {
      port.postMessage({ error: error.message });
    }
  }
}

async function runJobs(jobs, sources) {
  const queue = [...jobs];
  const serve = async () => {
    const { port1, port2 } = new MessageChannel();
    // The compiler reports its own loading on stdout; captured, it stays quiet.
    const worker = new Worker(self, { workerData: { port: port2, sources }, transferList: [port2], stdout: true });
    const failed = once(worker, 'error').then(([error]) => [{ error: error.message }]);
    for (let job = queue.shift(); job; job = queue.shift()) {
      port1.postMessage(job);
      const [answer] = await Promise.race([once(port1, 'message'), failed]);
      if (answer.error) throw new Error(`${job.name}: ${answer.error}`);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism()) }, serve));
}

async function build() {
  mkdirSync(out, { recursive: true });
  const version = JSON.parse(readFileSync(compilerManifest(), 'utf8')).version;
  const sources = readSources();
  const compiles = [];
  const links = [];
  for (const [variant, variantFlags] of Object.entries(variants)) {
    const objects = {};
    const hashes = [];
    for (const source of Object.keys(sources).filter((path) => path.endsWith('.cpp'))) {
      const object = `${source.slice('kernels/'.length, -'.cpp'.length).replaceAll('/', '-')}.${variant}.o`;
      const args = [...flags, ...variantFlags, '-c', source];
      const hash = hashOf([version, args, closureOf(source, sources)]);
      objects[object] = object;
      hashes.push(hash);
      const path = join(out, object);
      if (!isFresh(path, hash)) compiles.push({ name: `${source} (${variant})`, path, hash, args, source });
    }
    const path = join(out, `typetorch.${variant}.wasm`);
    const args = ['--target=wasm32-unknown-unknown', '-nostdlib', ...linkFlags, ...Object.keys(objects)];
    const hash = hashOf([version, args, hashes]);
    if (!isFresh(path, hash)) links.push({ name: path, path, hash, args, objects });
  }
  await runJobs(compiles, sources);
  await runJobs(links, sources);
}

function compilerManifest() {
  for (let folder = root; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', '@yowasp', 'clang', 'package.json');
    if (existsSync(path) || folder === dirname(folder)) return path;
  }
}

if (isMainThread) {
  try {
    await build();
  } catch (error) {
    console.error(`typetorch: the WebAssembly build failed: ${error.message}`);
    process.exit(1);
  }
} else {
  await work(workerData);
}
