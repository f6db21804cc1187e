/** Before the tests of a file: the page is cross-origin isolated, and threads of the kernels run. */

const instances: WebAssembly.Instance[] = [];
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    super(module, imports);
    instances.push(this);
  }
};

const torch = await import('typetorch');
if (!crossOriginIsolated) throw new Error('the page is not cross-origin isolated');
if (torch.getNumThreads() < 2) throw new Error('these tests need a processor with two cores');

// Work asks for threads; the browser starts them between turns of the event loop.
torch.ones(1000, 1000).exp();
const ready = instances[0].exports.threads_ready as () => number;
const began = performance.now();
while (ready() < torch.getNumThreads() - 1) {
  if (performance.now() - began > 30_000) throw new Error('the threads of the kernels do not start');
  await new Promise((resolve) => setTimeout(resolve, 10));
}
