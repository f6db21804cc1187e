import type { Tensor } from 'typetorch';
import * as torch from 'typetorch';
import { TensorDataset } from 'typetorch/data';
import { PIXELS, type Sample, SIDE } from './messages.js';
import { normalise } from './model.js';

/** The images and labels of one part: as bytes to show, as a data set to learn from. */
export class Part {
  /** Normalised images [n, 1, 28, 28] with their labels. */
  readonly dataset: TensorDataset<[Tensor, Tensor]>;

  constructor(
    readonly labels: Uint8Array<ArrayBuffer>,
    private readonly images: Uint8Array<ArrayBuffer>,
  ) {
    const bytes = torch.tensor(images).view(labels.length, SIDE, SIDE);
    this.dataset = new TensorDataset(normalise(bytes), torch.tensor(BigInt64Array.from(labels, BigInt)));
  }

  get length(): number {
    return this.labels.length;
  }

  sample(index: number): Sample {
    return { pixels: this.images.slice(index * PIXELS, (index + 1) * PIXELS), label: this.labels[index] };
  }
}

export interface Digits {
  train: Part;
  test: Part;
}

/** Reads a response piece by piece to tell how far it is. */
async function download(url: string, tell: (fraction: number) => void): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    throw new Error(`The images could not be loaded: the server answered with status ${response.status}.`);
  }
  const total = Number(response.headers.get('Content-Length'));
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let got = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    got += next.value.length;
    if (total > 0) tell(Math.min(1, got / total));
  }
  return new Blob(pieces);
}

/** The file's contents; some servers name gzip as an encoding, and the browser has unpacked it then. */
async function unpack(file: Blob): Promise<ArrayBuffer> {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (first !== 0x1f || second !== 0x8b) return file.arrayBuffer();
  return new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}

/** Loads the file that make-data.mjs writes. */
export async function loadDigits(url: string, tell: (fraction: number) => void): Promise<Digits> {
  const buffer = await unpack(await download(url, tell));
  const [trainCount, testCount] = new Uint32Array(buffer, 0, 2);
  const expected = 8 + (trainCount + testCount) * (1 + PIXELS);
  if (buffer.byteLength !== expected) {
    throw new Error(`The images are damaged: expected ${expected} bytes, found ${buffer.byteLength}.`);
  }
  let at = 8;
  const take = (bytes: number) => {
    at += bytes;
    return new Uint8Array(buffer, at - bytes, bytes);
  };
  const part = (count: number) => new Part(take(count), take(count * PIXELS));
  return { train: part(trainCount), test: part(testCount) };
}
