import { find, formatLoss, formatPercent, formatWhole, setText } from '../shared/dom.js';
import { Chart } from './chart.js';
import { History } from './history.js';
import type { Progress, Score } from './messages.js';

type Column = 'loss' | 'smoothLoss' | 'smoothAccuracy' | 'testLoss' | 'testAccuracy';

/** Above this a loss leaves the picture: with too large a learning rate it may become anything. */
const HIGHEST_LOSS = 5;

const finite = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);

/** Both charts with their keys. */
export class Curves {
  private history = new History();
  private test: Score | undefined;
  private pointedAt: number | null = null;
  private frame = 0;
  private readonly loss: Chart;
  private readonly accuracy: Chart;

  constructor() {
    const hover = (row: number | null) => {
      this.pointedAt = row;
      this.showKeys();
    };
    this.loss = new Chart(find('loss-chart', HTMLElement), {
      curves: [
        { color: 'train', width: 1, opacity: 0.28 },
        { color: 'train', width: 2 },
        { color: 'test', width: 2 },
      ],
      range: (max) => [0, Math.min(HIGHEST_LOSS, Math.max(2.5, max))],
      format: (value) => value.toFixed(1),
      hover,
    });
    this.accuracy = new Chart(find('accuracy-chart', HTMLElement), {
      curves: [
        { color: 'train', width: 2 },
        { color: 'test', width: 2 },
      ],
      range: () => [0, 1],
      format: (value) => `${Math.round(100 * value)}%`,
      hover,
    });
  }

  /** Starts anew, with the score of the untrained network. */
  reset(test: Score): void {
    this.history = new History();
    this.addTest(test);
    this.describe(0);
  }

  add({ losses, accuracies, test }: Progress): void {
    losses.forEach((loss, i) => {
      this.history.addStep(loss, accuracies[i]);
    });
    if (test !== undefined) this.addTest(test);
    this.update();
  }

  get trainLoss(): number | null {
    return this.history.trainLoss;
  }

  /** For those who hear the charts. */
  describe(step: number): void {
    const { history, test } = this;
    if (test === undefined) return;
    const text = (train: number | null, score: number, format: (value: number) => string) =>
      `against steps; after ${formatWhole(step)} steps: ${train === null ? '' : `training ${format(train)}, `}test ${format(score)}`;
    const label = (id: string, value: string) => find(id, HTMLElement).setAttribute('aria-label', value);
    label('loss-chart', `Loss ${text(history.trainLoss, test.loss, formatLoss)}`);
    label('accuracy-chart', `Accuracy ${text(history.trainAccuracy, test.accuracy, formatPercent)}`);
  }

  private addTest(test: Score): void {
    this.test = test;
    this.history.addTest(test);
    this.update();
  }

  private update(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const { history } = this;
      const steps = history.column('step');
      const columns = (...names: Column[]) => names.map((name) => history.column(name).map(finite));
      this.loss.show([steps, ...columns('loss', 'smoothLoss', 'testLoss')]);
      this.accuracy.show([steps, ...columns('smoothAccuracy', 'testAccuracy')]);
      this.showKeys();
    });
  }

  /** Values under the pointer, else the last ones. */
  private showKeys(): void {
    const last = (column: Column) => {
      const values = this.history.column(column).slice(0, this.pointedAt === null ? undefined : this.pointedAt + 1);
      return values.findLast((value) => value !== null);
    };
    const show = (id: string, column: Column, format: (value: number) => string) => {
      const value = last(column);
      setText(id, value === undefined || value === null ? '' : format(value));
    };
    show('loss-train', 'smoothLoss', formatLoss);
    show('loss-test', 'testLoss', formatLoss);
    show('accuracy-train', 'smoothAccuracy', formatPercent);
    show('accuracy-test', 'testAccuracy', formatPercent);
  }
}
