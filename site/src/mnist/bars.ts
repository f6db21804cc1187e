import { CLASSES } from './messages.js';

interface Bar {
  item: HTMLLIElement;
  fill: HTMLElement;
  value: HTMLElement;
}

/** Ten bars, one for the probability of each digit. */
export class Bars {
  private readonly bars: Bar[];

  constructor(list: HTMLElement) {
    this.bars = Array.from({ length: CLASSES }, (_, digit) => {
      const item = document.createElement('li');
      const [name, track, fill, value] = ['span', 'span', 'span', 'span'].map((tag) => document.createElement(tag));
      name.textContent = String(digit);
      track.className = 'bar';
      fill.className = 'fill';
      track.append(fill);
      value.textContent = '–';
      item.append(name, track, value);
      return { item, fill, value };
    });
    list.replaceChildren(...this.bars.map(({ item }) => item));
  }

  /** Shows the probabilities, or none, and tells the winner. */
  show(probabilities: Float32Array | null): number {
    const winner = probabilities === null ? -1 : probabilities.indexOf(Math.max(...probabilities));
    this.bars.forEach(({ item, fill, value }, digit) => {
      const probability = probabilities?.[digit];
      item.classList.toggle('winner', digit === winner);
      item.dataset.probability = probability === undefined ? '' : String(probability);
      fill.style.transform = `scaleX(${probability ?? 0})`;
      value.textContent = probability === undefined ? '–' : `${Math.round(100 * probability)}%`;
    });
    return winner;
  }
}
