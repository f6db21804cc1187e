import type { Score } from './messages.js';

/** Rows that a curve is drawn of; where there are more, neighbours are joined. */
const MOST_ROWS = 1200;
/** Weight of the past in the smoothed curves, for each step. */
const DECAY = 0.95;

interface Row {
  step: number;
  /** Of the batches that the row stands for; null where only a test was made. */
  loss: number | null;
  smoothLoss: number | null;
  smoothAccuracy: number | null;
  testLoss: number | null;
  testAccuracy: number | null;
}

/** A running mean that forgets, without the pull towards its start. */
class Smooth {
  private sum = 0;
  private weight = 0;

  add(value: number): void {
    this.sum = DECAY * this.sum + (1 - DECAY) * value;
    this.weight = DECAY * this.weight + (1 - DECAY);
  }

  get value(): number | null {
    return this.weight === 0 ? null : this.sum / this.weight;
  }
}

/** What happened so far, in a bounded number of rows however long training runs. */
export class History {
  private rows: Row[] = [];
  private steps = 0;
  private stride = 1;
  private waiting: number[] = [];
  private readonly loss = new Smooth();
  private readonly accuracy = new Smooth();

  get trainLoss(): number | null {
    return this.loss.value;
  }

  get trainAccuracy(): number | null {
    return this.accuracy.value;
  }

  addStep(loss: number, accuracy: number): void {
    this.steps++;
    this.loss.add(loss);
    this.accuracy.add(accuracy);
    this.waiting.push(loss);
    if (this.waiting.length >= this.stride) this.addRow(null);
  }

  addTest(score: Score): void {
    this.addRow(score);
  }

  private addRow(test: Score | null): void {
    const { waiting } = this;
    this.rows.push({
      step: this.steps,
      loss: waiting.length === 0 ? null : waiting.reduce((a, b) => a + b, 0) / waiting.length,
      smoothLoss: this.loss.value,
      smoothAccuracy: this.accuracy.value,
      testLoss: test?.loss ?? null,
      testAccuracy: test?.accuracy ?? null,
    });
    this.waiting = [];
    if (this.rows.length > MOST_ROWS) this.thin();
  }

  private thin(): void {
    this.stride *= 2;
    const { rows } = this;
    this.rows = rows.flatMap((b, i) => {
      // The first row, before any step, stays as it is.
      if (i === 0 || (i % 2 === 1 && i === rows.length - 1)) return b;
      if (i % 2 === 1) return [];
      const a = rows[i - 1];
      const losses = [a.loss, b.loss].filter((loss) => loss !== null);
      return {
        ...b,
        loss: losses.length === 0 ? null : losses.reduce((x, y) => x + y, 0) / losses.length,
        testLoss: b.testLoss ?? a.testLoss,
        testAccuracy: b.testAccuracy ?? a.testAccuracy,
      };
    });
  }

  column<K extends keyof Row>(key: K): Row[K][] {
    return this.rows.map((row) => row[key]);
  }
}
