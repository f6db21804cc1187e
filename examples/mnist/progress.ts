import { Presets, SingleBar } from 'cli-progress';

/** A bar with loss and speed on a terminal's stderr; nothing where stderr goes elsewhere. */
export class EpochProgress {
  private readonly bar: SingleBar | undefined;
  private readonly start = performance.now();
  private shown = 0;

  constructor(title: string, total: number) {
    if (!process.stderr.isTTY) return;
    const format = `${title} |{bar}| {value}/{total} | loss {loss} | {speed} samples/s`;
    this.bar = new SingleBar(
      { format, stream: process.stderr, clearOnComplete: true, hideCursor: true },
      Presets.shades_classic,
    );
    this.bar.start(total, 0, { loss: '-', speed: '-' });
  }

  update(done: number, loss: number): void {
    if (this.bar === undefined) return;
    const now = performance.now();
    if (now - this.shown < 100) return;
    this.shown = now;
    this.bar.update(done, { loss: loss.toFixed(4), speed: Math.round((1000 * done) / (now - this.start)) });
    // The loop never waits, so the bar's own timer would get no turn.
    this.bar.render();
  }

  stop(): void {
    this.bar?.stop();
  }
}
