// The page's (or its worker's) side of the benchmark in the browser; browser.mjs calls what is put on `globalThis`.
import { measureWorkload } from './measure.mjs';

const { port1, port2 } = new MessageChannel();

/** Ends the current turn of the event loop. */
const turn = () =>
  new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(undefined);
  });

const bytes = async (file, header) =>
  new Uint8Array(await (await fetch(`/mnist/${file}`)).arrayBuffer()).subarray(header);

const host = {
  turn,
  mnistFolder: '/mnist',
  mnist: async () => ({
    images: await bytes('train-images-idx3-ubyte', 16),
    labels: await bytes('train-labels-idx1-ubyte', 8),
  }),
};

export function serve(runtime) {
  globalThis.bench = {
    ready: () => runtime.ready(),
    measure: (workload, plan) => measureWorkload(runtime, workload, plan, host),
  };
}
