import { drawImage } from './image.js';
import { SIDE } from './messages.js';
import { PEN, type Point, type Stroke, toDigit } from './strokes.js';

/** Points nearer than this add nothing but time. */
const NEAREST = 0.004;

/** The drawing area: strokes of mouse, touch or pen, or an image of the data set. */
export class Pad {
  private strokes: Stroke[] = [];
  private image: Uint8Array | null = null;
  private stroke: Stroke | undefined;
  private readonly context: CanvasRenderingContext2D;
  private frame = 0;

  /** @param changed gets the image that the network is to see, null when the area is empty, and whether it was drawn */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly changed: (pixels: Uint8Array | null, drawn: boolean) => void,
  ) {
    this.context = canvas.getContext('2d') as CanvasRenderingContext2D;
    canvas.addEventListener('pointerdown', (event) => this.begin(event));
    canvas.addEventListener('pointermove', (event) => this.extend(event));
    for (const type of ['pointerup', 'pointercancel'] as const) {
      canvas.addEventListener(type, () => {
        this.stroke = undefined;
      });
    }
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  /** An image in place of what was drawn; null clears the area. */
  show(image: Uint8Array | null): void {
    this.strokes = [];
    this.stroke = undefined;
    this.image = image;
    this.update();
  }

  private point({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }

  private begin(event: PointerEvent): void {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.image = null;
    this.stroke = [this.point(event)];
    this.strokes.push(this.stroke);
    this.update();
  }

  private extend(event: PointerEvent): void {
    if (this.stroke === undefined || !event.isPrimary) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length > 0 ? events : [event]) {
      const last = this.stroke[this.stroke.length - 1];
      const next = this.point(one);
      if (Math.hypot(next.x - last.x, next.y - last.y) >= NEAREST) this.stroke.push(next);
    }
    this.update();
  }

  /** Once a frame, however many events came. */
  private update(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
      const drawn = this.strokes.length > 0;
      this.changed(drawn ? toDigit(this.strokes) : this.image, drawn);
    });
  }

  private resize(): void {
    const pixels = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (pixels === 0 || pixels === this.canvas.width) return;
    this.canvas.width = pixels;
    this.canvas.height = pixels;
    this.draw();
  }

  private draw(): void {
    const { context, canvas, strokes, image } = this;
    const size = canvas.width;
    context.clearRect(0, 0, size, size);
    if (image !== null) {
      const small = document.createElement('canvas');
      small.width = SIDE;
      small.height = SIDE;
      drawImage(small, image);
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, 0, size, size);
      return;
    }
    context.lineWidth = 2 * PEN * size;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    for (const stroke of strokes) {
      context.beginPath();
      trace(context, stroke, size);
      context.stroke();
    }
  }
}

/** Curves from middle to middle of the points, so that corners of fast strokes look round. */
function trace(context: CanvasRenderingContext2D, stroke: Stroke, size: number): void {
  const first = stroke[0];
  const last = stroke[stroke.length - 1];
  context.moveTo(first.x * size, first.y * size);
  for (let i = 1; i < stroke.length - 1; i++) {
    const a = stroke[i];
    const b = stroke[i + 1];
    context.quadraticCurveTo(a.x * size, a.y * size, ((a.x + b.x) / 2) * size, ((a.y + b.y) / 2) * size);
  }
  context.lineTo(last.x * size, last.y * size);
}
