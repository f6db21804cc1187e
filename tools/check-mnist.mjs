// Runs one epoch of the MNIST example on both builds of the kernels and compares what it prints with PyTorch's lines.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const expected = [
  'Using device: cpu',
  'Epoch 1/1',
  '  Train Loss: 0.5727, Train Acc: 85.48%',
  '  Val   Loss: 0.3177, Val   Acc: 90.98%',
  '-'.repeat(40),
];

for (const native of ['1', '0']) {
  const { stdout, status } = spawnSync(
    process.execPath,
    ['build/examples/mnist/main.js', '--epochs', '1', '--seed', '0'],
    {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, TYPETORCH_NATIVE: native },
      encoding: 'utf8',
    },
  );
  const lines = stdout.split('\n').slice(0, expected.length);
  if (status !== 0 || lines.join('\n') !== expected.join('\n')) {
    console.error(`MNIST with TYPETORCH_NATIVE=${native} printed\n${stdout}\ninstead of\n${expected.join('\n')}`);
    process.exit(1);
  }
  console.log(`MNIST with TYPETORCH_NATIVE=${native}: ${lines[2].trim()}; ${lines[3].trim()}`);
}
