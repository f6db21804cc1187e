// The networks of the step workloads in jax-js: parameters, and a function of parameters and input that owns both.
import { lax, nn, numpy as np, random } from '@jax-js/jax';

let held = [];

/** Keeps an array for as long as the workload runs. */
export function keep(array) {
  held.push(array);
  return array;
}

export function release() {
  for (const array of held) if (array.refCount > 0) array.dispose();
  held = [];
}

let seed = 0;

export function normal(shape) {
  return keep(random.normal(random.key(seed++), shape));
}

/** Initial values of a weight as PyTorch draws them, in ±1/√fanIn. */
export function uniform(shape, fanIn) {
  const limit = fanIn ** -0.5;
  return random.uniform(random.key(seed++), shape, { minval: -limit, maxval: limit });
}

const linear = (input, output) => ({ w: uniform([input, output], input), b: uniform([output], input) });
const dense = ({ w, b }, x) => np.matmul(x, w).add(b);

export function mlp([input, hidden, classes]) {
  return {
    params: { up: linear(input, hidden), down: linear(hidden, classes) },
    forward: ({ up, down }, x) => dense(down, nn.relu(dense(up, x))),
  };
}

const filter = (input, output, size) => uniform([output, input, size, size], input * size * size);
const maxPool = (x, size, stride) => lax.reduceWindow(x, (window) => np.max(window), [size, size], [stride, stride]);

export const convolve = (x, w, stride, padding) =>
  lax.conv(
    x,
    w,
    [stride, stride],
    [
      [padding, padding],
      [padding, padding],
    ],
  );

export function leNet() {
  const conv = (input, output) => ({ w: filter(input, output, 5), b: uniform([output, 1, 1], input * 25) });
  const layer = ({ w, b }, x, padding) => maxPool(nn.relu(convolve(x, w, 1, padding).add(b)), 2, 2);
  return {
    params: { conv1: conv(1, 6), conv2: conv(6, 16), fc1: linear(400, 120), fc2: linear(120, 84), fc3: linear(84, 10) },
    forward({ conv1, conv2, fc1, fc2, fc3 }, x) {
      const features = layer(conv2, layer(conv1, x, 2), 0).reshape([-1, 400]);
      return dense(fc3, nn.relu(dense(fc2, nn.relu(dense(fc1, features)))));
    },
  };
}

/** LSTM over [batch, length, input]; the last output is classified. There is no loop primitive, so steps are unrolled. */
export function lstmClassifier(input, hidden) {
  const gates = 4 * hidden;
  return {
    params: {
      wx: uniform([input, gates], hidden),
      wh: uniform([hidden, gates], hidden),
      b: uniform([gates], hidden),
      fc: linear(hidden, 10),
    },
    forward({ wx, wh, b, fc }, x) {
      const [batch, length] = x.shape;
      const projected = np.matmul(x, wx).add(b);
      let [h, c] = [np.zeros([batch, hidden]), np.zeros([batch, hidden])];
      for (let t = 0; t < length; t++) {
        const sums = projected.ref.slice([], t).add(np.matmul(h, wh.ref));
        const [i, f, g, o] = np.split(sums, 4, 1);
        c = nn
          .sigmoid(f)
          .mul(c)
          .add(nn.sigmoid(i).mul(np.tanh(g)));
        h = nn.sigmoid(o).mul(np.tanh(c.ref));
      }
      c.dispose();
      wh.dispose();
      projected.dispose();
      return dense(fc, h);
    },
  };
}

export const layerNorm = (x, scale, offset) => nn.standardize(x, -1).mul(scale).add(offset);

/**
 * Self-attention and a feed-forward network, each added to its input and normalised. The library's own attention goes
 * through its `einsum`, which needs Node 22.
 */
export function transformerBlock(width, heads, feedForward) {
  const norm = () => ({ scale: np.ones([width]), offset: np.zeros([width]) });
  const normalise = ({ scale, offset }, x) => layerNorm(x, scale, offset);
  return {
    params: {
      project: linear(width, 3 * width),
      out: linear(width, width),
      up: linear(width, feedForward),
      down: linear(feedForward, width),
      norm1: norm(),
      norm2: norm(),
    },
    forward({ project, out, up, down, norm1, norm2 }, x) {
      const [batch, length] = x.shape;
      const [q, k, v] = np
        .split(dense(project, x.ref), 3, -1)
        .map((t) => t.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]));
      const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul((width / heads) ** -0.5);
      const mixed = np.matmul(nn.softmax(scores, -1), v).transpose([0, 2, 1, 3]);
      const attended = dense(out, mixed.reshape([batch, length, width]));
      const y = normalise(norm1, x.add(attended));
      return normalise(norm2, y.ref.add(dense(down, nn.relu(dense(up, y)))));
    },
  };
}

const convNorm = (input, output, size) => ({
  w: filter(input, output, size),
  scale: np.ones([output, 1, 1]),
  offset: np.zeros([output, 1, 1]),
});

/** Convolution and normalisation by the batch's own statistics; running averages are left out. */
function applyConvNorm({ w, scale, offset }, x, stride, padding) {
  return nn
    .standardize(convolve(x, w, stride, padding), [0, 2, 3])
    .mul(scale)
    .add(offset);
}

export function resNet18() {
  const widths = [64, 64, 128, 128, 256, 256, 512, 512];
  const blocks = widths.map((output, i) => {
    const input = i === 0 ? 64 : widths[i - 1];
    const block = { first: convNorm(input, output, 3), second: convNorm(output, output, 3) };
    return input === output ? block : { ...block, skip: convNorm(input, output, 1) };
  });
  const applyBlock = ({ first, second, skip }, x) => {
    const stride = skip === undefined ? 1 : 2;
    const y = applyConvNorm(second, nn.relu(applyConvNorm(first, x.ref, stride, 1)), 1, 1);
    return nn.relu(y.add(skip === undefined ? x : applyConvNorm(skip, x, 2, 0)));
  };
  return {
    params: { stem: convNorm(3, 64, 7), blocks, fc: linear(512, 10) },
    forward({ stem, blocks, fc }, x) {
      let y = nn.relu(applyConvNorm(stem, x, 2, 3));
      y = maxPool(
        np.pad(y, [
          [0, 0],
          [0, 0],
          [1, 1],
          [1, 1],
        ]),
        3,
        2,
      );
      for (const block of blocks) y = applyBlock(block, y);
      return dense(fc, y.mean([2, 3]));
    },
  };
}
