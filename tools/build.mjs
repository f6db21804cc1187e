// Builds everything a checkout needs: TypeScript, the printed kernels, WebAssembly, and native kernels where a compiler is.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKernels } from './generate-kernels.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

function node(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
node(join(typescript, 'bin/tsc'), '-p', 'tsconfig.json');
await generateKernels();
node('tools/build-wasm.mjs');
node('tools/embed-wasm.mjs');
node('tools/build-native.mjs');
node(join(typescript, 'bin/tsc'), '-p', 'examples/tsconfig.json');
