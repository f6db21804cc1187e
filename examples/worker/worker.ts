import * as torch from 'typetorch';
import { nn, optim } from 'typetorch';
import type { Command, Progress } from './messages.js';

const scope = globalThis as unknown as {
  postMessage(message: Progress): void;
  onmessage: ((event: { data: Command }) => void) | null;
};

let resume: (() => void) | undefined;
let paused: Promise<void> | undefined;
scope.onmessage = ({ data }) => {
  if (data === 'pause') {
    paused ??= new Promise((resolve) => {
      resume = resolve;
    });
  } else {
    resume?.();
    paused = undefined;
  }
};

/** Lets messages of the page come in. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

async function train(steps: number): Promise<void> {
  torch.manualSeed(0);
  const model = new nn.Sequential(new nn.Linear(1, 64), new nn.Tanh(), new nn.Linear(64, 1));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const x = torch.linspace(-3, 3, 256).unsqueeze(1);
  const y = x.sin();

  let last = performance.now();
  for (let step = 1; step <= steps; step++) {
    optimizer.zeroGrad();
    const loss = model(x).sub(y).pow(2).mean();
    loss.backward();
    optimizer.step();

    if (step === steps || performance.now() - last > 50) {
      scope.postMessage({ step, steps, loss: loss.item(), done: step === steps });
      await turn();
      await paused;
      last = performance.now();
    }
  }
}

// Not awaited at the top level: bundlers make classic workers by default, which have no top-level await.
void train(2000);
