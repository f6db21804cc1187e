import * as torch from 'typetorch';
import { nn, optim, type Tensor } from 'typetorch';
import { DataLoader } from 'typetorch/data';
import type { Digits } from './data.js';
import { type Examination, examine } from './examine.js';
import { type EpochEnd, type Guess, type Progress, type Score, type Settings, SIDE } from './messages.js';
import { normalise, SimpleNN } from './model.js';

/** Milliseconds between reports, and so between the turns in which commands come in. */
const REPORT_EVERY = 50;
/** How often in an epoch the test images are tried. */
const TESTS_PER_EPOCH = 4;
/** Seconds over which the speed is averaged. */
const SPEED_WINDOW = 1;

/** Lets messages of the page come in; a timer would wait for 4 ms at least. */
const channel = new MessageChannel();
const turn = () =>
  new Promise<void>((resolve) => {
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(null);
  });

/** One network and its training, from the first step until it is thrown away. */
export class Training {
  readonly model: SimpleNN;
  private readonly criterion = new nn.CrossEntropyLoss();
  private readonly optimizer: optim.SGD | optim.Adam;
  private readonly loader: DataLoader<[Tensor, Tensor]>;
  private step = 0;
  private epoch = 0;
  private epochsWanted = 0;
  private running = false;
  private stopped = false;
  private paused: Promise<void> | undefined;
  private unpause: (() => void) | undefined;
  private watched: { id: number; image: Tensor } | undefined;
  private losses: number[] = [];
  private accuracies: number[] = [];
  private samplesPerSecond = 0;

  constructor(
    readonly run: number,
    settings: Settings,
    private readonly digits: Digits,
    private readonly tell: (report: Progress | EpochEnd) => void,
  ) {
    torch.manualSeed(settings.seed);
    this.model = new SimpleNN();
    this.loader = new DataLoader(digits.train.dataset, { batchSize: settings.batchSize, shuffle: true });
    this.optimizer = new optim[settings.optimizer](this.model.parameters(), { lr: settings.lr });
  }

  get parameters(): number {
    return [...this.model.parameters()].reduce((count, parameter) => count + parameter.numel(), 0);
  }

  pause(): void {
    this.paused ??= new Promise((resolve) => {
      this.unpause = resolve;
    });
  }

  resume(): void {
    this.unpause?.();
    this.paused = undefined;
  }

  /** Ends the training for good, also out of a pause. */
  stop(): void {
    this.stopped = true;
    this.resume();
  }

  setLearningRate(lr: number): void {
    for (const group of this.optimizer.paramGroups) group.lr = lr;
  }

  /** The image to guess from now on. */
  watch(id: number, pixels: Uint8Array | null): void {
    this.watched = pixels === null ? undefined : { id, image: normalise(torch.tensor(pixels).view(1, SIDE, SIDE)) };
  }

  /** Goes on guessing the image that another training was asked to guess. */
  adopt(other: Training | undefined): void {
    this.watched = other?.watched;
  }

  /** Probabilities of the digits for the watched image. */
  guess(): Guess | undefined {
    if (this.watched === undefined) return undefined;
    const { id, image } = this.watched;
    const probabilities = torch.noGrad(() => torch.tidy(() => this.model(image).softmax(1).toTypedArray()));
    return { id, probabilities: probabilities as Float32Array };
  }

  examine(): Examination {
    return examine(this.model, this.criterion, this.digits.test);
  }

  /** Trains for `epochs` more; resolves when they are done, or training was stopped. */
  async train(epochs: number): Promise<void> {
    this.epochsWanted += epochs;
    // A pause may have come when the last epoch had just ended.
    this.resume();
    if (this.running) return;
    this.running = true;
    while (this.epoch < this.epochsWanted && !this.stopped) await this.trainEpoch();
    this.running = false;
  }

  private async trainEpoch(): Promise<void> {
    const { model, criterion, optimizer, loader } = this;
    const testEvery = Math.ceil(loader.length / TESTS_PER_EPOCH);
    const total = { loss: 0, hits: 0, samples: 0 };
    this.epoch++;
    let measured = 0;
    let since = performance.now();
    for await (const [images, labels] of loader) {
      optimizer.zeroGrad();
      const output = model(images);
      const loss = criterion(output, labels);
      loss.backward();
      optimizer.step();

      const hits = output.argmax(1).eq(labels).sum().item();
      this.record(loss.item(), hits / labels.length);
      total.loss += loss.item();
      total.hits += hits;
      total.samples += labels.length;

      const ends = total.samples === loader.dataset.length;
      const tests = !ends && this.step % testEvery === 0;
      if (!ends && !tests && performance.now() - since < REPORT_EVERY) continue;
      this.measure(total.samples - measured, performance.now() - since);
      measured = total.samples;
      if (ends) break;
      const test = tests ? this.examine().score : undefined;
      since = performance.now();
      this.report(test);
      await turn();
      if (this.paused !== undefined) {
        await this.paused;
        since = performance.now();
      }
      if (this.stopped) return;
    }
    const { score, wrong, mistakes } = this.examine();
    this.report(score);
    const train = { loss: total.loss / loader.length, accuracy: total.hits / total.samples };
    const last = this.epoch === this.epochsWanted;
    this.tell({ type: 'epoch', run: this.run, epoch: this.epoch, train, test: score, wrong, mistakes, last });
    await turn();
    await this.paused;
  }

  private record(loss: number, accuracy: number): void {
    this.step++;
    this.losses.push(loss);
    this.accuracies.push(accuracy);
  }

  /** Tests and pauses do not count as time spent on samples. */
  private measure(samples: number, milliseconds: number): void {
    const seconds = milliseconds / 1000;
    const weight = this.samplesPerSecond === 0 ? 1 : Math.min(1, seconds / SPEED_WINDOW);
    this.samplesPerSecond += weight * (samples / seconds - this.samplesPerSecond);
  }

  private report(test?: Score): void {
    this.tell({
      type: 'progress',
      run: this.run,
      step: this.step,
      epoch: this.epoch,
      losses: Float32Array.from(this.losses),
      accuracies: Float32Array.from(this.accuracies),
      test,
      samplesPerSecond: this.samplesPerSecond,
      memory: torch.memory().reserved,
      guess: this.guess(),
    });
    this.losses = [];
    this.accuracies = [];
  }
}
