// The workloads in TypeTorch. What they need and the library does not have yet is reported as missing.
import * as torch from 'typetorch';
import { DataLoader } from 'typetorch/data';
import { datasets, transforms } from 'typetorch/vision';
import { Missing } from '../measure.mjs';
import { leNet, mlp, resNet18, SequenceClassifier } from './models.mjs';

const { nn, optim } = torch;

export async function ready() {
  return { version: torch.version, backend: torch.backendName(), threads: torch.getNumThreads() };
}

/** Throws unless all of these exist: paths below `torch`. */
function need(...names) {
  for (const name of names) {
    let value = torch;
    for (const part of name.split('.')) value = value?.[part];
    if (value === undefined) throw new Missing(name);
  }
}

function frozen(module) {
  for (const parameter of module.parameters()) parameter.requiresGrad_(false);
  return module;
}

/** A training step: `loss` computes it, SGD updates the parameters of `model`. */
function stepOf(model, loss) {
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  return () => {
    optimizer.zeroGrad();
    const value = loss();
    value.backward();
    optimizer.step();
    return value.item();
  };
}

function classifierStep(model, x, classes = 10) {
  const criterion = new nn.CrossEntropyLoss();
  const y = torch.randint(0, classes, [x.shape[0]]);
  return stepOf(model, () => criterion(model(x), y));
}

export const workloads = {
  matmul({ n }) {
    const [a, b] = [torch.randn(n, n), torch.randn(n, n)];
    return () => a.matmul(b);
  },

  add({ size }) {
    const [a, b] = [torch.randn(size), torch.randn(size)];
    return () => a.add(b);
  },

  addWithGradient({ size }) {
    const [a, b] = [torch.randn([size], { requiresGrad: true }), torch.randn([size], { requiresGrad: true })];
    return () => a.add(b);
  },

  chain({ length, size }) {
    const one = torch.ones([size]);
    return () => {
      let y = torch.ones([size], { requiresGrad: true });
      for (let i = 0; i < length; i++) y = y.add(one);
      y.sum().backward();
    };
  },

  unary({ fn, size }) {
    const x = torch.randn(size);
    return () => x[fn]();
  },

  softmax({ shape }) {
    const x = torch.randn(shape);
    return () => x.softmax(1);
  },

  layerNorm({ shape }) {
    need('nn.LayerNorm');
    const layer = frozen(new nn.LayerNorm(shape[1]));
    const x = torch.randn(shape);
    return () => layer(x);
  },

  conv({ x: shape, w, padding }) {
    need('nn.Conv2d');
    const layer = frozen(new nn.Conv2d(w[1], w[0], w[2], { padding, bias: false }));
    const x = torch.randn(shape);
    return () => layer(x);
  },

  mlpStep({ batch, sizes }) {
    return classifierStep(mlp(sizes), torch.randn(batch, 1, 28, 28));
  },

  lenetStep({ batch }) {
    need('nn.Conv2d', 'nn.MaxPool2d');
    return classifierStep(leNet(), torch.randn(batch, 1, 28, 28));
  },

  lstmStep({ batch, length, input, hidden }) {
    need('nn.LSTM');
    return classifierStep(new SequenceClassifier(input, hidden), torch.randn(batch, length, input));
  },

  transformerStep({ batch, length, width, heads, feedForward }) {
    need('nn.TransformerEncoderLayer');
    const options = { dimFeedforward: feedForward, dropout: 0, batchFirst: true };
    const model = new nn.TransformerEncoderLayer(width, heads, options);
    const [x, target] = [torch.randn(batch, length, width), torch.randn(batch, length, width)];
    return stepOf(model, () => {
      const difference = model(x).sub(target);
      return difference.mul(difference).mean();
    });
  },

  resnetStep({ batch, size }) {
    need('nn.Conv2d', 'nn.BatchNorm2d', 'nn.MaxPool2d');
    return classifierStep(resNet18(), torch.randn(batch, 3, size, size));
  },

  /** Loading, transforms and batches from the data set's bytes. */
  mnistEpoch({ batch }, host) {
    const transform = new transforms.Compose([new transforms.ToTensor(), new transforms.Normalize([0.1307], [0.3081])]);
    const data = new datasets.MNIST(host.mnistFolder, { train: true, transform });
    const loader = new DataLoader(data, { batchSize: batch, shuffle: true });
    const model = mlp([784, 128, 10]);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const criterion = new nn.CrossEntropyLoss();
    const step = (images, labels) => {
      optimizer.zeroGrad();
      const loss = criterion(model(images), labels);
      loss.backward();
      optimizer.step();
      return loss.item();
    };
    // Pages free memory between turns of the event loop only, which `for await` gives them.
    if (host.turn !== undefined) {
      return async () => {
        let total = 0;
        for await (const [images, labels] of loader) total += step(images, labels);
        return total;
      };
    }
    return () => {
      let total = 0;
      for (const [images, labels] of loader) total += step(images, labels);
      return total;
    };
  },
};
