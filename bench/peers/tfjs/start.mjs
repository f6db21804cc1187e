// A small program: from nothing to the loss of the first training step.
import { tf, useWasm } from './backend.mjs';

await useWasm();
const model = tf.sequential();
model.add(tf.layers.dense({ inputShape: [784], units: 128, activation: 'relu' }));
model.add(tf.layers.dense({ units: 10 }));
const optimizer = tf.train.sgd(0.01);
const x = tf.randomNormal([64, 784]);
const y = tf.oneHot(tf.randomUniform([64], 0, 10, 'int32'), 10);

const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, model.apply(x)), true);
console.log(`loss ${loss.dataSync()[0]}`);
