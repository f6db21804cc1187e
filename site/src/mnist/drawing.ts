import { find, setText } from '../shared/dom.js';
import { Bars } from './bars.js';
import { drawImage } from './image.js';
import type { Guess, Sample } from './messages.js';
import { Pad } from './pad.js';

/** Drawing sends an image to the worker this often at most, in milliseconds. */
const WATCH_EVERY = 50;
/** A guess that has stood for so long is told to those who hear the page. */
const STANDS_AFTER = 900;

/** The drawing area with the network's answer. */
export class Drawing {
  private readonly bars = new Bars(find('bars', HTMLElement));
  private readonly seen = find('seen', HTMLCanvasElement);
  private readonly pad: Pad;
  private pixels: Uint8Array | null = null;
  private label: number | undefined;
  private id = 0;
  private samples: Sample[] = [];
  private sending = 0;
  private standing = 0;

  /**
   * @param watch asks the worker to guess an image from now on
   * @param announce tells those who hear the page
   */
  constructor(
    private readonly watch: (id: number, pixels: Uint8Array | null) => void,
    private readonly announce: (text: string) => void,
  ) {
    this.pad = new Pad(find('pad-canvas', HTMLCanvasElement), (pixels, drawn) => this.changed(pixels, drawn));
    find('clear', HTMLButtonElement).addEventListener('click', () => this.pad.show(null));
    find('any-test', HTMLButtonElement).addEventListener('click', () => {
      this.show(this.samples[Math.floor(Math.random() * this.samples.length)]);
    });
  }

  /** Lets visitors try these images. */
  offer(samples: Sample[]): void {
    this.samples = samples;
    find('any-test', HTMLButtonElement).disabled = false;
    this.send();
  }

  show({ pixels, label }: Sample): void {
    this.label = label;
    this.pad.show(pixels);
  }

  /** `steps` is how long the network was trained that made the guess. */
  showGuess({ id, probabilities }: Guess, steps: number): void {
    if (id !== this.id || this.pixels === null) return;
    if (!probabilities.every(Number.isFinite)) {
      this.showNone('The numbers have overflowed: reset, and try a smaller learning rate.');
      return;
    }
    const winner = this.bars.show(probabilities);
    const percent = `${Math.round(100 * probabilities[winner])}%`;
    const before = setText('answer', String(winner));
    setText('certainty', `${percent} sure`);
    setText('draw-note', this.note(winner, steps));
    if (before === String(winner)) return;
    clearTimeout(this.standing);
    this.standing = setTimeout(() => this.announce(`The network reads ${winner}, ${percent} sure`), STANDS_AFTER);
  }

  private changed(pixels: Uint8Array | null, drawn: boolean): void {
    if (drawn) this.label = undefined;
    this.pixels = pixels;
    drawImage(this.seen, pixels);
    find('pad-hint', HTMLElement).hidden = pixels !== null;
    find('clear', HTMLButtonElement).disabled = pixels === null;
    if (this.sending === 0) {
      this.sending = setTimeout(() => {
        this.sending = 0;
        this.send();
      }, WATCH_EVERY);
    }
    if (pixels === null) this.showNone('The small image will show what the network sees of your digit.');
  }

  private showNone(note: string): void {
    clearTimeout(this.standing);
    this.bars.show(null);
    setText('answer', '–');
    setText('certainty', '');
    setText('draw-note', note);
  }

  private note(winner: number, steps: number): string {
    const { label } = this;
    const image = label === undefined ? '' : `The image is labelled ${label}. `;
    if (steps === 0) return `${image}Untrained: the weights are random, and so are the guesses.`;
    if (label === undefined) return 'The small image is what the network sees, scaled as in MNIST.';
    return `${image}${label === winner ? 'The network reads it correctly.' : 'The network misreads it.'}`;
  }

  private send(): void {
    this.id++;
    this.watch(this.id, this.pixels);
  }
}
