// Builds build/native/typetorch.node with whatever C++ compiler there is. A machine without one still installs:
// the WebAssembly build does the work there.
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const kernels = join(root, 'kernels');
const out = join(root, 'build', 'native');
const strict = process.argv.includes('--strict');

const flags = [
  '-O3',
  '-std=c++20',
  '-fPIC',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-math-errno',
  '-ffp-contract=off',
  '-fwrapv',
  '-fvisibility=hidden',
  '-Wno-psabi',
];

const avx2 = ['-mavx2', '-mfma', '-mf16c', '-mbmi', '-mbmi2'];
const avx512 = [...avx2, '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl'];
const instructionSets = { x64: { avx512, avx2, generic: [] }, arm64: { neon: [] } }[process.arch] ?? { generic: [] };

function giveUp(reason) {
  console.log(`typetorch: no native kernels (${reason}); WebAssembly is used instead.`);
  process.exit(strict ? 1 : 0);
}

function findCompiler() {
  const wanted = process.env.CXX?.trim();
  for (const command of [...(wanted ? [wanted] : []), 'c++', 'g++', 'clang++']) {
    const [file, ...args] = command.split(/\s+/);
    const found = spawnSync(file, [...args, '--version'], { encoding: 'utf8' });
    if (found.status === 0) return { file, args, version: found.stdout.split('\n')[0] };
  }
  return undefined;
}

function findHeaders() {
  const bundled = join(dirname(process.execPath), '..', 'include', 'node');
  try {
    const require = createRequire(join(root, 'package.json'));
    const found = require('node-api-headers').include_dir;
    if (existsSync(join(found, 'node_api.h'))) return found;
  } catch {}
  return existsSync(join(bundled, 'node_api.h')) ? bundled : undefined;
}

function sourcesIn(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cpp'))
    .sort()
    .map((name) => join(folder, name));
}

// The contents of a source and of all that it includes from this repository.
function contentsOf(file, seen = new Map()) {
  if (seen.has(file) || !existsSync(file)) return seen;
  const text = readFileSync(file, 'utf8');
  seen.set(file, text);
  for (const [, name] of text.matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)) contentsOf(join(dirname(file), name), seen);
  return seen;
}

function hashOf(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

function isFresh(file, hash) {
  return existsSync(file) && existsSync(`${file}.hash`) && readFileSync(`${file}.hash`, 'utf8') === hash;
}

function compile(compiler, args) {
  return new Promise((resolve, reject) => {
    execFile(compiler.file, [...compiler.args, ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}${stderr}`.trim() || error.message));
      else resolve();
    });
  });
}

async function inParallel(jobs, limit) {
  const queue = [...jobs];
  const next = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) await job();
  };
  await Promise.all(Array.from({ length: limit }, next));
}

async function build() {
  if (process.env.TYPETORCH_NATIVE === '0') giveUp('TYPETORCH_NATIVE=0');
  if (process.platform === 'win32') giveUp('Windows');
  const compiler = findCompiler();
  if (!compiler) giveUp('no C++ compiler found');
  const headers = findHeaders();
  if (!headers) giveUp('no Node-API headers found');
  mkdirSync(out, { recursive: true });

  const units = [];
  for (const [isa, isaFlags] of Object.entries(instructionSets)) {
    for (const source of sourcesIn(kernels)) {
      // Only the matrix product leaves it to the compiler where to fuse; all other sources say so themselves.
      const contract = source.endsWith('gemm.cpp') ? ['-ffp-contract=fast'] : [];
      units.push({ source, name: isa, args: [...isaFlags, ...contract, `-DTT_ISA=${isa}`] });
    }
  }
  for (const source of sourcesIn(join(kernels, 'native'))) {
    units.push({ source, name: 'native', args: ['-I', headers, '-DTT_ISA=native'] });
  }

  const objects = [];
  const jobs = [];
  const hashes = [];
  for (const { source, name, args } of units) {
    const base = source.slice(kernels.length + 1, -'.cpp'.length).replaceAll(/[\\/]/g, '-');
    const object = join(out, `${base}.${name}.o`);
    const all = [...flags, ...args, '-c', source, '-o', object];
    const hash = hashOf([compiler.file, compiler.version, ...all, ...contentsOf(source).values()]);
    objects.push(object);
    hashes.push(hash);
    if (isFresh(object, hash)) continue;
    jobs.push(async () => {
      await compile(compiler, all);
      writeFileSync(`${object}.hash`, hash);
    });
  }
  await inParallel(jobs, availableParallelism());

  const library = join(out, 'typetorch.node');
  const linkFlags =
    process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-pthread'];
  const linkHash = hashOf([...linkFlags, ...objects, ...hashes]);
  if (isFresh(library, linkHash)) return;
  // Linked aside and moved, so that a process that has the old library open keeps it whole.
  await compile(compiler, [
    ...linkFlags,
    ...objects,
    '-o',
    `${library}.new`,
    ...(process.platform === 'linux' ? ['-ldl'] : []),
  ]);
  renameSync(`${library}.new`, library);
  writeFileSync(`${library}.hash`, linkHash);
}

build().catch((error) => {
  const lines = String(error.message).split('\n');
  if (strict) console.error(error.message);
  giveUp(`the build failed: ${lines.find((line) => line.includes('error')) ?? lines[0]}`);
});
