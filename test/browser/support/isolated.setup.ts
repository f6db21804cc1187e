import { threadsJoined } from '../programs/instances.js';

/** Before the tests of a file: the page is cross-origin isolated, and threads of the kernels run. */

const torch = await import('typetorch');
if (!crossOriginIsolated) throw new Error('the page is not cross-origin isolated');

// Work asks for threads, as many as any test uses; the browser starts them between turns of the event loop.
const usual = torch.getNumThreads();
torch.setNumThreads(3);
torch.ones(1000, 1000).exp();
const began = performance.now();
while (threadsJoined() < 2) {
  if (performance.now() - began > 30_000) throw new Error('the threads of the kernels do not start');
  await new Promise((resolve) => setTimeout(resolve, 5));
}
torch.setNumThreads(Math.max(usual, 2));
