import { PIXELS, SIDE } from './messages.js';

/** A point of the drawing area, 0..1 in both directions. */
export interface Point {
  x: number;
  y: number;
}

export type Stroke = Point[];

/** Half the width of the pen, in the drawing area's unit. */
export const PEN = 0.042;

/** MNIST's digits fit a box of 20x20 pixels and are about two to three pixels thick. */
const BOX = 20;
const THINNEST = 0.95;
const THICKEST = 1.45;
/** A dot must not be blown up to the size of a digit. */
const SMALLEST = 0.16;

function distanceToSegment(x: number, y: number, a: Point, b: Point): number {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const squared = dx * dx + dy * dy;
  const along = squared === 0 ? 0 : Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / squared));
  return Math.hypot(x - a.x - along * dx, y - a.y - along * dy);
}

/** How much of each pixel the strokes cover, 0..1. The canvas is not read: browsers blur that against fingerprinting. */
function coverage(strokes: readonly Stroke[], radius: number): Float32Array {
  const out = new Float32Array(PIXELS);
  const reach = radius + 0.5;
  const at = (value: number) => Math.min(SIDE - 1, Math.max(0, Math.floor(value)));
  for (const stroke of strokes) {
    stroke.forEach((b, i) => {
      const a = stroke[Math.max(0, i - 1)];
      const bottom = at(Math.max(a.y, b.y) + reach);
      const right = at(Math.max(a.x, b.x) + reach);
      for (let row = at(Math.min(a.y, b.y) - reach); row <= bottom; row++) {
        for (let column = at(Math.min(a.x, b.x) - reach); column <= right; column++) {
          const covered = Math.min(1, reach - distanceToSegment(column + 0.5, row + 0.5, a, b));
          const p = row * SIDE + column;
          if (covered > out[p]) out[p] = covered;
        }
      }
    });
  }
  return out;
}

function shifted(strokes: readonly Stroke[], scale: number, dx: number, dy: number): Stroke[] {
  return strokes.map((stroke) => stroke.map(({ x, y }) => ({ x: x * scale + dx, y: y * scale + dy })));
}

/** A drawing as MNIST would have stored it: scaled to fit 20x20, its centre of mass in the middle of 28x28. */
export function toDigit(strokes: readonly Stroke[]): Uint8Array {
  const xs = strokes.flatMap((stroke) => stroke.map(({ x }) => x));
  const ys = strokes.flatMap((stroke) => stroke.map(({ y }) => y));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const size = Math.max(right - left, bottom - top, SMALLEST);
  const radius = Math.min(THICKEST, Math.max(THINNEST, (PEN * BOX) / (size + 2 * PEN)));
  const scale = (BOX - 2 * radius) / size;

  const middle = SIDE / 2;
  const dx = middle - (scale * (left + right)) / 2;
  const dy = middle - (scale * (top + bottom)) / 2;
  const centred = coverage(shifted(strokes, scale, dx, dy), radius);
  let [mass, massX, massY] = [0, 0, 0];
  centred.forEach((value, p) => {
    mass += value;
    massX += value * ((p % SIDE) + 0.5);
    massY += value * (Math.floor(p / SIDE) + 0.5);
  });
  const digit = shifted(strokes, scale, dx + middle - massX / mass, dy + middle - massY / mass);
  return Uint8Array.from(coverage(digit, radius), (value) => Math.round(255 * value));
}
