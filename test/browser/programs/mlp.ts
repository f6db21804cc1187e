import * as torch from 'typetorch';
import { nn, optim, type Tensor } from 'typetorch';

/** Programs as users write them; nothing in them knows where they run. */

export class SimpleNN extends nn.Module {
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

/** The same with fewer inputs: a step leaves as much memory behind, but takes a tenth of the time. */
export class SmallNN extends SimpleNN {
  override fc1 = new nn.Linear(6 * 6, 128);
}

/** Random images, and what trains on the batch of a step and gives its loss. */
export function training(model: SimpleNN, side: number): (step: number) => Tensor {
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const criterion = new nn.CrossEntropyLoss();
  const images = torch.randn(256, 1, side, side);
  const labels = torch.randint(0, 10, [256]);
  return (step) => {
    const from = (step % 4) * 64;
    optimizer.zeroGrad();
    const loss = criterion(model(images.narrow(0, from, 64)), labels.narrow(0, from, 64));
    loss.backward();
    optimizer.step();
    return loss;
  };
}

/** The losses of the first steps. */
export function losses(steps: number): number[] {
  torch.manualSeed(0);
  const train = training(new SimpleNN(), 28);
  return Array.from({ length: steps }, (_, step) => train(step).item());
}
