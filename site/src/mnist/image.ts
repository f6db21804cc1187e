import { PIXELS, SIDE } from './messages.js';

/** Draws 28x28 bytes as black ink on nothing; the style sheet inverts it on dark. */
export function drawImage(canvas: HTMLCanvasElement, pixels: Uint8Array | null): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = new ImageData(SIDE, SIDE);
  for (let p = 0; p < PIXELS; p++) image.data[4 * p + 3] = pixels?.[p] ?? 0;
  context.putImageData(image, 0, 0);
}

function item(content: HTMLElement, pixels: Uint8Array | null, caption: (Node | string)[]): HTMLElement {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  drawImage(canvas, pixels);
  const text = document.createElement('span');
  text.append(...caption);
  content.className = 'thumb';
  content.append(canvas, text);
  const element = document.createElement('li');
  element.append(content);
  return element;
}

/** A button with a small image over a caption. */
export function thumbnail(
  pixels: Uint8Array,
  caption: (Node | string)[],
  label: string,
  choose: () => void,
): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.setAttribute('aria-label', label);
  button.addEventListener('click', choose);
  return item(button, pixels, caption);
}

/** Keeps the place of a thumbnail, so that nothing moves when it comes. */
export function placeholder(): HTMLElement {
  const element = item(document.createElement('div'), null, ['\u00a0']);
  element.ariaHidden = 'true';
  return element;
}
