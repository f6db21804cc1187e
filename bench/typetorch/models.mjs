// The networks of the step workloads. Written as functions where a layer may not exist yet.
import { nn } from 'typetorch';

export const mlp = ([input, hidden, classes]) =>
  new nn.Sequential(new nn.Flatten(), new nn.Linear(input, hidden), new nn.ReLU(), new nn.Linear(hidden, classes));

export const leNet = () =>
  new nn.Sequential(
    new nn.Conv2d(1, 6, 5, { padding: 2 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(6, 16, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(400, 120),
    new nn.ReLU(),
    new nn.Linear(120, 84),
    new nn.ReLU(),
    new nn.Linear(84, 10),
  );

/** LSTM over [batch, length, input]; the last output is classified. */
export class SequenceClassifier extends nn.Module {
  constructor(input, hidden) {
    super();
    this.lstm = new nn.LSTM(input, hidden, { batchFirst: true });
    this.fc = new nn.Linear(hidden, 10);
  }

  forward(x) {
    const [output] = this.lstm(x);
    return this.fc(output.select(1, -1));
  }
}

class Block extends nn.Module {
  constructor(input, output, stride) {
    super();
    this.conv1 = new nn.Conv2d(input, output, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(output);
    this.relu = new nn.ReLU();
    this.conv2 = new nn.Conv2d(output, output, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(output);
    this.downsample =
      stride === 1 && input === output
        ? new nn.Identity()
        : new nn.Sequential(new nn.Conv2d(input, output, 1, { stride, bias: false }), new nn.BatchNorm2d(output));
  }

  forward(x) {
    const y = this.bn2(this.conv2(this.relu(this.bn1(this.conv1(x)))));
    return this.relu(y.add(this.downsample(x)));
  }
}

class GlobalAverage extends nn.Module {
  forward(x) {
    return x.mean([2, 3]);
  }
}

export function resNet18() {
  const widths = [64, 128, 256, 512];
  const blocks = widths.flatMap((width, i) => [
    new Block(i === 0 ? 64 : widths[i - 1], width, i === 0 ? 1 : 2),
    new Block(width, width, 1),
  ]);
  return new nn.Sequential(
    new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false }),
    new nn.BatchNorm2d(64),
    new nn.ReLU(),
    new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
    ...blocks,
    new GlobalAverage(),
    new nn.Linear(512, 10),
  );
}
