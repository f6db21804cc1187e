// node bench/child.mjs typetorch|tfjs|jax-js: measures in this process. Reads workloads on stdin and prints results, as
// lines of JSON; the first line printed says what runs here.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { measureWorkload } from './measure.mjs';
import { mnistFolder } from './paths.mjs';

const name = process.argv[2];
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
// Runtimes greet on the console; only results belong on stdout.
console.log = console.error;
// A promise that a runtime forgot belongs to a workload that has failed and been reported.
process.on('unhandledRejection', () => {});

const bytes = (file, header) => new Uint8Array(readFileSync(`${mnistFolder}/${file}`)).subarray(header);

const host = {
  mnistFolder,
  mnist: async () => ({ images: bytes('train-images-idx3-ubyte', 16), labels: bytes('train-labels-idx1-ubyte', 8) }),
};

const path = name === 'typetorch' ? './typetorch/workloads.mjs' : `./peers/${name}/workloads.mjs`;
const runtime = await import(fileURLToPath(new URL(path, import.meta.url)));
print(await runtime.ready());
for await (const line of createInterface({ input: process.stdin })) {
  const { workload, plan } = JSON.parse(line);
  print(await measureWorkload(runtime, workload, plan, host));
}
