import * as torch from 'typetorch';
import { nn, optim, type Tensor } from 'typetorch';
import { DataLoader, Dataset } from 'typetorch/data';
import { transforms } from 'typetorch/vision';
import * as embedded from './images.js';
import { SimpleNN } from './mlp.js';

/** The MNIST example (examples/mnist) in short, with its images in the program. */

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

class Digits extends Dataset<[Tensor, number]> {
  private readonly images: Tensor;
  private readonly classes: Uint8Array;
  private readonly transform = new transforms.Compose([
    new transforms.ToTensor(),
    new transforms.Normalize([0.1307], [0.3081]),
  ]);
  readonly labels = [1];

  constructor({ images, labels }: embedded.Split) {
    super();
    this.classes = bytesOf(labels);
    this.images = torch.tensor(bytesOf(images)).view(this.classes.length, 28, 28);
  }

  get length(): number {
    return this.classes.length;
  }

  getItem(index: number): [Tensor, number] {
    return [this.transform(this.images.select(0, index)), this.classes[index]];
  }
}

export interface Run {
  /** Loss of each batch, training and validation in turn. */
  losses: number[];
  /** What the example prints. */
  lines: string[];
}

export async function mnist(epochs: number, seed: number): Promise<Run> {
  torch.manualSeed(seed);
  const run: Run = { losses: [], lines: ['Using device: cpu'] };
  const trainLoader = new DataLoader(new Digits(embedded.train), { batchSize: 64, shuffle: true });
  const valLoader = new DataLoader(new Digits(embedded.test), { batchSize: 64 });
  const model = new SimpleNN();
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });

  /** An epoch over one of the loaders, in words. */
  const pass = async (loader: typeof trainLoader, step: (loss: Tensor) => void): Promise<string> => {
    let totalLoss = 0;
    let correct = 0;
    let total = 0;
    for await (const [data, target] of loader) {
      const output = model(data);
      const loss = criterion(output, target);
      step(loss);
      run.losses.push(loss.item());
      totalLoss += loss.item();
      correct += output.argmax(1).eq(target).sum().item();
      total += target.size(0);
    }
    return `Loss: ${(totalLoss / loader.length).toFixed(4)}, @ Acc: ${((100 * correct) / total).toFixed(2)}%`;
  };

  for (let epoch = 1; epoch <= epochs; epoch++) {
    model.train();
    const train = await pass(trainLoader, (loss) => {
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    });
    model.eval();
    const val = await torch.noGrad(() => pass(valLoader, () => {}));
    run.lines.push(`Epoch ${epoch}/${epochs}`);
    run.lines.push(`  Train ${train.replace('@', 'Train')}`);
    run.lines.push(`  Val   ${val.replace('@', 'Val  ')}`);
    run.lines.push('-'.repeat(40));
  }
  return run;
}
