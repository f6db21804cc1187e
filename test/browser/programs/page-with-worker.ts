import './page.js';

declare global {
  var inWorker: typeof inPage;
}

let worker: Worker | undefined;

globalThis.inWorker = (name, args) =>
  new Promise((resolve, reject) => {
    worker ??= new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.result));
    worker.onerror = (event) => reject(new Error(`the worker failed: ${event.message}`));
    worker.postMessage({ name, args });
  });
