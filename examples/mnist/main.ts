import { parseArgs } from 'node:util';
import * as torch from 'typetorch';
import { nn, optim, type Tensor } from 'typetorch';
import { DataLoader, type Dataset, Subset } from 'typetorch/data';
import { datasets, transforms } from 'typetorch/vision';
import { drawCurves, type EpochResult } from './curves.js';
import { embeddedMnist } from './files.js';
import { EpochProgress } from './progress.js';

type Loader = DataLoader<[Tensor, number]>;

/** The data set, or the beginning of it for a quick try. */
function first<T>(dataset: Dataset<T>, limit: number): Dataset<T> {
  return limit === 0 ? dataset : new Subset(dataset, [...Array(Math.min(limit, dataset.length)).keys()]);
}

function loadData(root: string, batchSize: number, limit: number): [Loader, Loader] {
  const transform = new transforms.Compose([new transforms.ToTensor(), new transforms.Normalize([0.1307], [0.3081])]);
  const trainDataset = new datasets.MNIST(root, { train: true, transform });
  // The test set stands in for a validation set, as in the script this follows; real work splits the training set.
  const valDataset = new datasets.MNIST(root, { train: false, transform });
  const trainLoader = new DataLoader(first(trainDataset, limit), { batchSize, shuffle: true });
  const valLoader = new DataLoader(first(valDataset, limit), { batchSize, shuffle: false });
  return [trainLoader, valLoader];
}

class SimpleNN extends nn.Module {
  flatten = new nn.Flatten();
  fc1 = new nn.Linear(28 * 28, 128);
  relu = new nn.ReLU();
  fc2 = new nn.Linear(128, 10);

  forward(x: Tensor): Tensor {
    x = this.flatten(x);
    x = this.relu(this.fc1(x));
    return this.fc2(x);
  }
}

type Criterion = (output: Tensor, target: Tensor) => Tensor;

function trainOneEpoch(
  model: SimpleNN,
  loader: Loader,
  criterion: Criterion,
  optimizer: optim.SGD,
  device: torch.Device,
  progress: EpochProgress,
): [loss: number, accuracy: number] {
  model.train();
  let totalLoss = 0;
  let correct = 0;
  let total = 0;
  for (const [images, labels] of loader) {
    const data = images.to(device);
    const target = labels.to(device);
    optimizer.zeroGrad();
    const output = model(data);
    const loss = criterion(output, target);
    loss.backward();
    optimizer.step();

    totalLoss += loss.item();
    const pred = output.argmax(1);
    correct += pred.eq(target).sum().item();
    total += target.size(0);
    progress.update(total, loss.item());
  }
  return [totalLoss / loader.length, (100 * correct) / total];
}

function validate(
  model: SimpleNN,
  loader: Loader,
  criterion: Criterion,
  device: torch.Device,
): [loss: number, accuracy: number] {
  model.eval();
  let totalLoss = 0;
  let correct = 0;
  let total = 0;
  torch.noGrad(() => {
    for (const [images, labels] of loader) {
      const data = images.to(device);
      const target = labels.to(device);
      const output = model(data);
      totalLoss += criterion(output, target).item();
      const pred = output.argmax(1);
      correct += pred.eq(target).sum().item();
      total += target.size(0);
    }
  });
  return [totalLoss / loader.length, (100 * correct) / total];
}

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '5' },
    seed: { type: 'string', default: '0' },
    'batch-size': { type: 'string', default: '64' },
    lr: { type: 'string', default: '0.01' },
    limit: { type: 'string', default: '0' },
    root: { type: 'string', default: embeddedMnist() },
    picture: { type: 'string', default: 'mnist-curves.png' },
  },
});

function numberOf(name: 'epochs' | 'seed' | 'batch-size' | 'lr' | 'limit'): number {
  const value = Number(values[name]);
  if (values[name].trim() === '' || Number.isNaN(value))
    throw new TypeError(`--${name} takes a number, got '${values[name]}'`);
  return value;
}

const epochs = numberOf('epochs');

torch.manualSeed(numberOf('seed'));
const device = torch.device(torch.cuda.isAvailable() ? 'cuda' : 'cpu');
console.log(`Using device: ${device}`);

const [trainLoader, valLoader] = loadData(values.root, numberOf('batch-size'), numberOf('limit'));
const model = new SimpleNN().to(device);
const criterion = new nn.CrossEntropyLoss();
const optimizer = new optim.SGD(model.parameters(), { lr: numberOf('lr') });

const history: EpochResult[] = [];
for (let epoch = 1; epoch <= epochs; epoch++) {
  const progress = new EpochProgress(`Epoch ${epoch}/${epochs}`, trainLoader.dataset.length);
  const [trainLoss, trainAcc] = trainOneEpoch(model, trainLoader, criterion, optimizer, device, progress);
  progress.stop();
  const [valLoss, valAcc] = validate(model, valLoader, criterion, device);
  history.push({ epoch, trainLoss, trainAcc, valLoss, valAcc });
  console.log(`Epoch ${epoch}/${epochs}`);
  console.log(`  Train Loss: ${trainLoss.toFixed(4)}, Train Acc: ${trainAcc.toFixed(2)}%`);
  console.log(`  Val   Loss: ${valLoss.toFixed(4)}, Val   Acc: ${valAcc.toFixed(2)}%`);
  console.log('-'.repeat(40));
}

console.log(`Curves: ${await drawCurves(history, values.picture)}`);
