// A small program: from nothing to the loss of the first training step.
import { defaultDevice, init, jit, nn, numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';

await init('wasm');
defaultDevice('wasm');
const [k1, k2, k3, k4] = random.split(random.key(0), 4);
const params = {
  w1: random.normal(k1, [784, 128]).mul(0.03),
  b1: np.zeros([128]),
  w2: random.normal(k2, [128, 10]).mul(0.1),
  b2: np.zeros([10]),
};
const x = random.normal(k3, [64, 784]);
const y = nn.oneHot(random.randint(k4, { minval: 0, maxval: 10, shape: [64] }), 10);

const lossOf = ({ w1, b1, w2, b2 }, x, y) => {
  const hidden = nn.relu(np.matmul(x, w1).add(b1));
  return nn.logSoftmax(np.matmul(hidden, w2).add(b2), 1).mul(y).sum().div(-64);
};
const step = jit((params, x, y) => {
  const [loss, grads] = valueAndGrad(lossOf)(tree.ref(params), x, y);
  return [tree.map((p, g) => p.sub(g.mul(0.01)), params, grads), loss];
});

const [, loss] = step(params, x, y);
console.log(`loss ${await loss.jsAsync()}`);
