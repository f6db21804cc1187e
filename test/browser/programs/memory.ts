import * as torch from 'typetorch';
import { nn, optim, type Tensor } from 'typetorch';
import { DataLoader, TensorDataset } from 'typetorch/data';
import { SmallNN, training } from './mlp.js';

/** Long training in each of the ways that let a browser free memory, and in one that does not. */

/** Largest `reserved` that was seen before and after `warmUp` steps, and the last loss. */
export interface Growth {
  before: number;
  after: number;
  loss: number;
}

/** Notes what is reserved after each step. */
class Watch {
  private readonly most = { before: 0, after: 0 };
  private steps = 0;
  constructor(private readonly warmUp: number) {}

  step(): void {
    const when = ++this.steps <= this.warmUp ? 'before' : 'after';
    this.most[when] = Math.max(this.most[when], torch.memory().reserved);
  }

  end(loss = Number.NaN): Growth {
    return { ...this.most, loss };
  }
}

const SIDE = 6;
const turn = () => new Promise((resolve) => setTimeout(resolve));

function small(): (step: number) => Tensor {
  torch.manualSeed(0);
  return training(new SmallNN(), SIDE);
}

/** One awaited read in each step. */
export async function awaitedReads(steps: number, warmUp: number): Promise<Growth> {
  const train = small();
  const watch = new Watch(warmUp);
  let loss = 0;
  for (let step = 0; step < steps; step++) {
    loss = (await train(step).cpu()).item();
    watch.step();
  }
  return watch.end(loss);
}

/** `for await` over a loader, and no read but the last. */
export async function awaitedLoader(steps: number, warmUp: number): Promise<Growth> {
  torch.manualSeed(0);
  const data = new TensorDataset(torch.randn(2560, 1, SIDE, SIDE), torch.randint(0, 10, [2560]));
  const loader = new DataLoader(data, { batchSize: 64, shuffle: true });
  const model = new SmallNN();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const criterion = new nn.CrossEntropyLoss();
  const watch = new Watch(warmUp);
  let last: Tensor | undefined;
  for (let step = 0; step < steps; ) {
    for await (const [x, y] of loader) {
      optimizer.zeroGrad();
      last = criterion(model(x), y);
      last.backward();
      optimizer.step();
      watch.step();
      step++;
    }
  }
  return watch.end(last?.item());
}

/** Results of 16 MiB, a turn after each. */
export async function largeResults(calls: number, warmUp: number): Promise<Growth> {
  const x = torch.ones(2 ** 22);
  const watch = new Watch(warmUp);
  for (let i = 0; i < calls; i++) {
    x.exp();
    watch.step();
    await turn();
  }
  return watch.end();
}

/** No wait for anything of the library, but turns of the event loop from time to time. */
export async function timeouts(steps: number, warmUp: number): Promise<Growth> {
  const train = small();
  const watch = new Watch(warmUp);
  let last: Tensor | undefined;
  for (let step = 0; step < steps; step++) {
    last = train(step);
    watch.step();
    if (step % 100 === 99) await turn();
  }
  return watch.end(last?.item());
}

export interface Outrun {
  /** The error that stopped the loop, and whether it has the class that programs can name. */
  name: string;
  message: string;
  runtimeError: boolean;
  /** Steps that it let pass. */
  passed: number;
  /** Whether tensors from before have their values after the loop was stopped and went on. */
  kept: boolean;
  /** All losses: the step that was stopped is done again after one turn of the event loop. */
  losses: number[];
}

/** A synchronous loop that makes more than `budget` bytes, then the same steps with a pause where it was stopped. */
export async function outrun(budget: number, steps: number): Promise<Outrun> {
  const train = small();
  await turn();
  torch.setMemoryBudget(budget);
  const losses: Tensor[] = [];
  const values: number[] = [];
  let error: Error | undefined;
  let passed = 0;
  try {
    for (let step = 0; step < steps; ) {
      try {
        for (; step < steps; step++) {
          const loss = train(step);
          losses.push(loss);
          values.push(loss.item());
        }
      } catch (caught) {
        if (error === undefined) passed = step;
        error ??= caught as Error;
        await turn();
      }
    }
  } finally {
    torch.setMemoryBudget(2 ** 30);
  }
  return {
    name: error?.name ?? '',
    message: error?.message ?? '',
    runtimeError: error instanceof torch.RuntimeError,
    passed,
    kept: losses.every((loss, step) => loss.item() === values[step]),
    losses: values,
  };
}
