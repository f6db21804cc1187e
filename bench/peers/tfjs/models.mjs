// The networks of the step workloads, with TensorFlow.js's layers where it has them.
import { tf } from './backend.mjs';

export function leNet() {
  const model = tf.sequential();
  const conv = (filters, padding, inputShape) =>
    tf.layers.conv2d({ filters, kernelSize: 5, padding, activation: 'relu', ...(inputShape && { inputShape }) });
  model.add(conv(6, 'same', [28, 28, 1]));
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(conv(16, 'valid'));
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 120, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 84, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 10 }));
  return model;
}

export function resNet18(size) {
  const convNorm = (x, filters, kernelSize, strides) =>
    tf.layers
      .batchNormalization()
      .apply(tf.layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false }).apply(x));
  const relu = (x) => tf.layers.reLU().apply(x);
  const block = (x, width, strides) => {
    const y = convNorm(relu(convNorm(x, width, 3, strides)), width, 3, 1);
    const skip = strides === 1 && x.shape.at(-1) === width ? x : convNorm(x, width, 1, strides);
    return relu(tf.layers.add().apply([y, skip]));
  };
  const input = tf.input({ shape: [size, size, 3] });
  let x = relu(convNorm(input, 64, 7, 2));
  x = tf.layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }).apply(x);
  for (const width of [64, 128, 256, 512]) x = block(block(x, width, width === 64 ? 1 : 2), width, 1);
  x = tf.layers.globalAveragePooling2d({}).apply(x);
  return tf.model({ inputs: input, outputs: tf.layers.dense({ units: 10 }).apply(x) });
}

/** Over the last dimension. On this back end it takes a tenth of the time of the library's own layer. */
export function layerNorm(x, scale, offset) {
  const { mean, variance } = tf.moments(x, -1, true);
  return x.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(scale).add(offset);
}

/** Self-attention and a feed-forward network, each added to its input and normalised; there is no such layer. */
export function transformerBlock(width, heads, feedForward) {
  const linear = (input, output) => {
    const weight = tf.variable(tf.randomUniform([input, output], -(input ** -0.5), input ** -0.5));
    const bias = tf.variable(tf.zeros([output]));
    return (x) => x.reshape([-1, input]).matMul(weight).add(bias);
  };
  const norm = () => {
    const [scale, offset] = [tf.variable(tf.ones([width])), tf.variable(tf.zeros([width]))];
    return (x) => layerNorm(x, scale, offset);
  };
  const project = linear(width, 3 * width);
  const out = linear(width, width);
  const up = linear(width, feedForward);
  const down = linear(feedForward, width);
  const [norm1, norm2] = [norm(), norm()];

  return (x) => {
    const [batch, length] = x.shape;
    const flat = x.reshape([-1, width]);
    const split = (t) => t.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]);
    const [q, k, v] = tf.split(project(flat), 3, 1).map(split);
    const weights = tf.softmax(tf.matMul(q, k, false, true).mul((width / heads) ** -0.5));
    const attended = out(tf.matMul(weights, v).transpose([0, 2, 1, 3]).reshape([-1, width]));
    const y = norm1(flat.add(attended));
    return norm2(y.add(down(up(y).relu()))).reshape(x.shape);
  };
}
