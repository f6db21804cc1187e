// The workloads in TensorFlow.js. Its convolutions take images as [batch, height, width, channels].
import { Missing } from '../../measure.mjs';
import { tf, useWasm } from './backend.mjs';
import { layerNorm, leNet, resNet18, transformerBlock } from './models.mjs';

export async function ready() {
  const { simd, threads } = await useWasm();
  return { backend: simd ? 'wasm simd' : 'wasm', threads };
}

let held = [];

/** Keeps a tensor for as long as the workload runs. */
function hold(tensor) {
  held.push(tensor);
  return tensor;
}

export function cleanUp() {
  tf.dispose(held);
  held = [];
  tf.disposeVariables();
}

const normal = (shape) => hold(tf.randomNormal(shape));
const classesFor = (batch) => hold(tf.oneHot(tf.randomUniform([batch], 0, 10, 'int32'), 10));

/** Calls whose result is not wanted. */
const dropping = (op) => () => op().dispose();

/** A training step: `loss` computes it, SGD updates all variables. */
function stepOf(loss) {
  const optimizer = tf.train.sgd(0.01);
  return () => {
    const value = optimizer.minimize(loss, true);
    const [number] = value.dataSync();
    value.dispose();
    return number;
  };
}

function classifierStep(model, x) {
  const y = classesFor(x.shape[0]);
  return stepOf(() => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true })));
}

function mlp([input, hidden, classes]) {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [input], units: hidden, activation: 'relu' }));
  model.add(tf.layers.dense({ units: classes }));
  return model;
}

/** Gradients of convolutions with respect to their filters are not in every version of the back end. */
function needKernel(name) {
  if (tf.getKernel(name, tf.getBackend()) === undefined) throw new Missing(`kernel ${name} on ${tf.getBackend()}`);
}

export const workloads = {
  matmul({ n }) {
    const [a, b] = [normal([n, n]), normal([n, n])];
    return dropping(() => tf.matMul(a, b));
  },

  add({ size }) {
    const [a, b] = [normal([size]), normal([size])];
    return dropping(() => a.add(b));
  },

  addWithGradient() {
    throw new Missing('gradients are of functions; nothing records an op alone');
  },

  chain({ length, size }) {
    const [x, one] = [hold(tf.ones([size])), hold(tf.ones([size]))];
    const gradient = tf.grad((start) => {
      let y = start;
      for (let i = 0; i < length; i++) y = y.add(one);
      return y.sum();
    });
    return dropping(() => gradient(x));
  },

  unary({ fn, size }) {
    const x = normal([size]);
    return dropping(() => x[fn]());
  },

  softmax({ shape }) {
    const x = normal(shape);
    return dropping(() => tf.softmax(x));
  },

  layerNorm({ shape }) {
    const [x, scale, offset] = [normal(shape), hold(tf.ones([shape[1]])), hold(tf.zeros([shape[1]]))];
    return dropping(() => tf.tidy(() => layerNorm(x, scale, offset)));
  },

  conv({ x: [batch, channels, height, width], w: [outputs, , size], padding }) {
    const x = normal([batch, height, width, channels]);
    const w = normal([size, size, channels, outputs]);
    return dropping(() => tf.conv2d(x, w, 1, padding === 0 ? 'valid' : padding));
  },

  mlpStep({ batch, sizes }) {
    return classifierStep(mlp(sizes), normal([batch, sizes[0]]));
  },

  lenetStep({ batch }) {
    needKernel('Conv2DBackpropFilter');
    return classifierStep(leNet(), normal([batch, 28, 28, 1]));
  },

  lstmStep({ batch, length, input, hidden }) {
    const model = tf.sequential();
    const like = { recurrentActivation: 'sigmoid', recurrentInitializer: 'glorotUniform' };
    model.add(tf.layers.lstm({ inputShape: [length, input], units: hidden, ...like }));
    model.add(tf.layers.dense({ units: 10 }));
    return classifierStep(model, normal([batch, length, input]));
  },

  transformerStep({ batch, length, width, heads, feedForward }) {
    const model = transformerBlock(width, heads, feedForward);
    const [x, target] = [normal([batch, length, width]), normal([batch, length, width])];
    return stepOf(() => tf.losses.meanSquaredError(target, model(x)));
  },

  resnetStep({ batch, size }) {
    needKernel('Conv2DBackpropFilter');
    return classifierStep(resNet18(size), normal([batch, size, size, 3]));
  },

  /** Images normalised beforehand in one typed array; a shuffled batch is copied out of it. */
  async mnistEpoch({ batch }, host) {
    const { images, labels } = await host.mnist();
    const pixels = Float32Array.from(images, (value) => (value / 255 - 0.1307) / 0.3081);
    const model = mlp([784, 128, 10]);
    const optimizer = tf.train.sgd(0.01);
    return async () => {
      const order = tf.util.createShuffledIndices(labels.length);
      let total = 0;
      for (let start = 0; start < labels.length; start += batch) {
        const chosen = order.subarray(start, start + batch);
        const x = new Float32Array(784 * chosen.length);
        chosen.forEach((index, row) => {
          x.set(pixels.subarray(784 * index, 784 * (index + 1)), 784 * row);
        });
        const y = Int32Array.from(chosen, (index) => labels[index]);
        total += tf.tidy(() => {
          const target = tf.oneHot(y, 10);
          const image = tf.tensor2d(x, [chosen.length, 784]);
          return optimizer
            .minimize(() => tf.losses.softmaxCrossEntropy(target, model.apply(image)), true)
            .dataSync()[0];
        });
        await host.turn?.();
      }
      return total;
    };
  },
};
