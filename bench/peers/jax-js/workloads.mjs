// The workloads in jax-js. A function owns its arguments there, so `.ref` stands wherever a value is used again. All but
// the recording of gradients goes through `jit`, which is also quicker for a single operation.
import {
  blockUntilReady,
  defaultDevice,
  grad,
  init,
  jit,
  nn,
  numpy as np,
  random,
  tree,
  valueAndGrad,
  vjp,
} from '@jax-js/jax';
import {
  convolve,
  keep,
  layerNorm,
  leNet,
  lstmClassifier,
  mlp,
  normal,
  release,
  resNet18,
  transformerBlock,
} from './models.mjs';

export async function ready() {
  await init('wasm');
  defaultDevice('wasm');
  // Its threads are Web Workers on shared memory; Node has no global `Worker`.
  const threads = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  return { backend: 'wasm', threads };
}

export const cleanUp = release;

/** Runs `op` and waits for its result. */
const waiting = (op) => async () => {
  const result = op();
  await blockUntilReady(result);
  tree.dispose(result);
};

/** A training step: gradients of `lossOf(params, data)`, and SGD. */
function stepOf(lossOf, params, data) {
  const step = jit((params, data) => {
    const [loss, grads] = valueAndGrad(lossOf)(tree.ref(params), data);
    return [tree.map((value, gradient) => value.sub(gradient.mul(0.01)), params, grads), loss];
  });
  return async (given = tree.ref(data)) => {
    const [next, loss] = step(params, given);
    params = next;
    await blockUntilReady(params);
    return loss.jsAsync();
  };
}

const classesFor = (batch) =>
  keep(nn.oneHot(random.randint(random.key(1), { minval: 0, maxval: 10, shape: [batch] }), 10));

const crossEntropy = (logits, y) => nn.logSoftmax(logits, 1).mul(y).sum().div(-logits.shape[0]);

function classifierStep({ params, forward }, x) {
  const lossOf = (params, [x, y]) => crossEntropy(forward(params, x), y);
  return stepOf(lossOf, params, [x, classesFor(x.shape[0])]);
}

export const workloads = {
  matmul({ n }) {
    const [a, b] = [normal([n, n]), normal([n, n])];
    const matmul = jit(np.matmul);
    return waiting(() => matmul(a.ref, b.ref));
  },

  add({ size }) {
    const [a, b] = [normal([size]), normal([size])];
    const add = jit(np.add);
    return waiting(() => add(a.ref, b.ref));
  },

  /** The linearised function is what stands for a recorded graph here. */
  addWithGradient({ size }) {
    const [a, b] = [normal([size]), normal([size])];
    return async () => {
      const [result, backward] = vjp((x, y) => x.add(y), [a.ref, b.ref]);
      await result.blockUntilReady();
      result.dispose();
      backward.dispose();
    };
  },

  /** Without `jit`, which would fold the chain into nothing. */
  chain({ length, size }) {
    const [x, one] = [normal([size]), normal([size])];
    const gradient = grad((start) => {
      let y = start;
      for (let i = 0; i < length; i++) y = y.add(one.ref);
      return y.sum();
    });
    return waiting(() => gradient(x.ref));
  },

  unary({ fn, size }) {
    const x = normal([size]);
    const op = jit((x) => np[fn](x));
    return waiting(() => op(x.ref));
  },

  softmax({ shape }) {
    const x = normal(shape);
    const softmax = jit((x) => nn.softmax(x, 1));
    return waiting(() => softmax(x.ref));
  },

  layerNorm({ shape }) {
    const [x, scale, offset] = [normal(shape), normal([shape[1]]), normal([shape[1]])];
    const norm = jit(layerNorm);
    return waiting(() => norm(x.ref, scale.ref, offset.ref));
  },

  conv({ x: shape, w: filter, padding }) {
    const [x, w] = [normal(shape), normal(filter)];
    const conv = jit((x, w) => convolve(x, w, 1, padding));
    return waiting(() => conv(x.ref, w.ref));
  },

  mlpStep({ batch, sizes }) {
    return classifierStep(mlp(sizes), normal([batch, sizes[0]]));
  },

  lenetStep({ batch }) {
    return classifierStep(leNet(), normal([batch, 1, 28, 28]));
  },

  lstmStep({ batch, length, input, hidden }) {
    return classifierStep(lstmClassifier(input, hidden), normal([batch, length, input]));
  },

  transformerStep({ batch, length, width, heads, feedForward }) {
    const { params, forward } = transformerBlock(width, heads, feedForward);
    const shape = [batch, length, width];
    return stepOf((params, [x, y]) => np.square(forward(params, x).sub(y)).mean(), params, [
      normal(shape),
      normal(shape),
    ]);
  },

  resnetStep({ batch, size }) {
    return classifierStep(resNet18(), normal([batch, 3, size, size]));
  },

  /** Images normalised beforehand in one typed array; a shuffled batch is copied out of it. */
  async mnistEpoch({ batch }, host) {
    const { images, labels } = await host.mnist();
    const pixels = Float32Array.from(images, (value) => (value / 255 - 0.1307) / 0.3081);
    const { params, forward } = mlp([784, 128, 10]);
    const lossOf = (params, [x, y]) => crossEntropy(forward(params, x), y);
    const step = stepOf(lossOf, params, []);
    const order = Uint32Array.from(labels.keys());
    return async () => {
      for (let i = order.length - 1; i > 0; i--) {
        const other = Math.floor(Math.random() * (i + 1));
        [order[i], order[other]] = [order[other], order[i]];
      }
      let total = 0;
      for (let start = 0; start < order.length; start += batch) {
        const chosen = order.subarray(start, start + batch);
        const x = new Float32Array(784 * chosen.length);
        const y = new Float32Array(10 * chosen.length);
        chosen.forEach((index, row) => {
          x.set(pixels.subarray(784 * index, 784 * (index + 1)), 784 * row);
          y[10 * row + labels[index]] = 1;
        });
        total += await step([
          np.array(x, { shape: [chosen.length, 784] }),
          np.array(y, { shape: [chosen.length, 10] }),
        ]);
      }
      return total;
    };
  },
};
