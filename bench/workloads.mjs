// The one table of what is measured: names and order, `kind` for the program that runs it, and its sizes. Each runtime
// has a function per kind (`typetorch/`, `peers/*/`), in JavaScript or Python, and gets the entry as plain data.

const LARGE = 4194304;

const matmul = (n) => ({ name: `matmul ${n}`, kind: 'matmul', n });
const pointwise = (fn) => ({ name: `${fn} of ${LARGE}`, kind: fn === 'add' ? 'add' : 'unary', fn, size: LARGE });
const conv = (x, w, padding) => ({ name: `conv x[${x}] w[${w}]`, kind: 'conv', x, w, padding });

export const workloads = [
  ...[64, 128, 256, 512, 1024, 2048].map(matmul),
  ...['add', 'exp', 'tanh', 'sum'].map(pointwise),
  { name: 'softmax [4096, 1024]', kind: 'softmax', shape: [4096, 1024] },
  { name: 'layer norm [4096, 1024]', kind: 'layerNorm', shape: [4096, 1024] },
  conv([32, 64, 56, 56], [64, 64, 3, 3], 1),
  conv([64, 1, 28, 28], [32, 1, 3, 3], 0),
  { name: 'MLP step', kind: 'mlpStep', batch: 64, sizes: [784, 128, 10] },
  { name: 'LeNet step', kind: 'lenetStep', batch: 64 },
  { name: 'LSTM step', kind: 'lstmStep', batch: 32, length: 32, input: 64, hidden: 128 },
  {
    name: 'Transformer block step',
    kind: 'transformerStep',
    batch: 8,
    length: 128,
    width: 256,
    heads: 8,
    feedForward: 1024,
  },
  { name: 'ResNet-18 step', kind: 'resnetStep', batch: 8, size: 64 },
  { name: 'add of 4', kind: 'add', size: 4 },
  { name: 'add of 4 with gradient', kind: 'addWithGradient', size: 4 },
  { name: 'chain of 1000 adds with backward', kind: 'chain', length: 1000, size: 4 },
  { name: 'process start to first training step', nameInPage: 'page load to first training step', kind: 'start' },
  { name: 'MNIST epoch', kind: 'mnistEpoch', batch: 64 },
];

/** What the names leave open, for the reader of the results. */
export const details = [
  'Everything is float32. `conv` is one forward with stride 1, the first with padding 1, the second without; softmax and layer norm run over the last dimension.',
  'A step is forward, loss, backward and an SGD update. MLP: 784-128-10, batch 64. LeNet: LeNet-5 with ReLU and max pooling, batch 64 of 1×28×28. LSTM: 64 to 128, 32 sequences of 32, a linear layer over the last output. Transformer block: width 256, 8 heads, feed-forward 1024, 8 sequences of 128, no dropout. ResNet-18: 8×3×64×64, 10 classes.',
  '`add of 4 with gradient` records for backward and does not run it. The start is wall-clock from a fresh process (in the browser: a fresh page) to the loss of the first MLP step; median of five.',
];

/** Times in milliseconds: how long to warm up, how long a round is, and how many rounds a slow workload gets. */
export const plan = {
  warmUp: 1500,
  round: 100,
  rounds: 7,
  /** A call slower than this gets `slowRounds`. */
  slow: 500,
  slowRounds: 3,
  /** A workload with calls slower than this gets two of them. */
  once: 2000,
  /** A first call slower than this counts alone, whatever was compiled in it. */
  firstCounts: 10_000,
  /** Pause after each program: threads of some runtimes spin for a while, and the next shall not pay for that. */
  pause: 400,
  /** A program that needs longer for one workload is ended. */
  limit: 90_000,
  starts: 5,
};

/** For work on the benchmarks themselves: figures of such a run mean little. */
export const quickPlan = { ...plan, warmUp: 100, round: 20, rounds: 3, pause: 50, starts: 1 };
