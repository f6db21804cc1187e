import { int64, uint8 } from '../core/dtype.js';
import { checkOptions, describe, RuntimeError } from '../core/errors.js';
import { empty, type Tensor } from '../core/tensor.js';
import { type Collated, defaultCollate } from '../data/collate.js';
import { Dataset, indexTensor, wrapIndex } from '../data/dataset.js';
import { indexSelect } from '../ops/index-select.js';
import { castTo } from '../ops/iterate.js';
import { tidy } from '../tensor/environment.js';
import { batchOf } from './batch.js';
import { hostFiles } from './host.js';
import { type Idx, readIdx } from './idx.js';
import type { TransformFunction } from './transforms.js';

export interface MNISTOptions<Image = Tensor, Target = number> {
  /** The training images (60000), or the test images (10000). Default: true. */
  train?: boolean;
  /** Applied to each image, a uint8 tensor [28, 28]. */
  transform?: TransformFunction<Tensor, Image> | null;
  /** Applied to each label, a number. */
  targetTransform?: TransformFunction<number, Target> | null;
  /** Fetches the files to `root/MNIST/raw` where they are missing. Default: false. */
  download?: boolean;
}

/** A file to download, and its MD5 sum. */
type Resource = readonly [file: string, md5: string];

const KEYS = ['train', 'transform', 'targetTransform', 'download'];
const SIDE = 28;

/** Both files of a split, as they were found. */
interface Files {
  images: { path: string; bytes: Uint8Array };
  labels: { path: string; bytes: Uint8Array };
}

/**
 * The MNIST digits: 28x28 grey images and their classes 0..9. Sample i is `[image, label]`: the label is a number (a
 * batch's labels are int64), the image a uint8 tensor [28, 28] (a PIL image in Python) unless `transform` makes something
 * else of it. Files are the IDX ones, plain or gzipped, in `root/MNIST/raw` as torchvision keeps them, in `root` itself,
 * or in `root/data`.
 * Source: https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.MNIST.html
 */
export class MNIST<Image = Tensor, Target = number> extends Dataset<[Image, Target]> {
  /** Where `download` looks, in order. */
  static mirrors: readonly string[] = [
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
    'http://yann.lecun.com/exdb/mnist/',
  ];
  static resources: readonly Resource[] = [
    ['train-images-idx3-ubyte.gz', 'f68b3c2dcbeaaa9fbdd348bbdeb94873'],
    ['train-labels-idx1-ubyte.gz', 'd53e105ee54ea40749a09fcbcd1e9432'],
    ['t10k-images-idx3-ubyte.gz', '9fb629c4189551a2d022fa330f9573f3'],
    ['t10k-labels-idx1-ubyte.gz', 'ec29112dd5afa0611ce80d1b7f02629c'],
  ];
  static classes: readonly string[] = [
    '0 - zero',
    '1 - one',
    '2 - two',
    '3 - three',
    '4 - four',
    '5 - five',
    '6 - six',
    '7 - seven',
    '8 - eight',
    '9 - nine',
  ];
  /** Name of the data set and of its folder under `root`. */
  static title = 'MNIST';

  readonly root: string;
  readonly train: boolean;
  /** Images, uint8 [n, 28, 28]. */
  data: Tensor;
  /** Classes, int64 [n]. */
  targets: Tensor;
  transform: TransformFunction<Tensor, Image> | null;
  targetTransform: TransformFunction<number, Target> | null;
  /** Which part of a sample is a class label. */
  readonly labels: readonly number[] = [1];

  constructor(root: string, options?: MNISTOptions<Image, Target>) {
    super();
    const { title } = this.kind;
    checkOptions(title, options, KEYS);
    if (typeof root !== 'string')
      throw new TypeError(`${title}: root must be the path of a folder, got ${describe(root)}`);
    const { train = true, transform = null, targetTransform = null, download = false } = options ?? {};
    for (const [name, value] of Object.entries({ train, download })) {
      if (typeof value !== 'boolean')
        throw new TypeError(`${title}: ${name} must be true or false, got ${describe(value)}`);
    }
    for (const [name, value] of Object.entries({ transform, targetTransform })) {
      if (value !== null && typeof value !== 'function')
        throw new TypeError(`${title}: ${name} must be a function, got ${describe(value)}`);
    }
    this.root = root;
    this.train = train;
    this.transform = transform;
    this.targetTransform = targetTransform;
    let files = this.find();
    if (files === undefined && download) {
      this.download();
      files = this.find();
    }
    if (files === undefined) {
      const [images, labels] = this.fileNames;
      throw new RuntimeError(
        `Dataset not found. You can use download: true to download it. Expected ${images} and ${labels}, plain or .gz, in one of ${this.folders.join(', ')}`,
      );
    }
    const { images, labels } = this.check(files);
    this.data = bytesToTensor(images);
    this.targets = castTo(bytesToTensor(labels), int64);
  }

  private get kind(): typeof MNIST {
    return this.constructor as typeof MNIST;
  }

  get classes(): readonly string[] {
    return this.kind.classes;
  }

  get classToIdx(): Record<string, number> {
    return Object.fromEntries(this.classes.map((name, i) => [name, i]));
  }

  private get rawFolder(): string {
    return hostFiles().join(this.root, this.kind.title, 'raw');
  }

  private get folders(): string[] {
    return [this.rawFolder, this.root, hostFiles().join(this.root, 'data')];
  }

  private get fileNames(): [images: string, labels: string] {
    const split = this.train ? 'train' : 't10k';
    return [`${split}-images-idx3-ubyte`, `${split}-labels-idx1-ubyte`];
  }

  private find(): Files | undefined {
    const [imagesName, labelsName] = this.fileNames;
    for (const folder of this.folders) {
      const labels = readPlainOrGzip(folder, labelsName);
      const images = labels && readPlainOrGzip(folder, imagesName);
      if (images && labels) return { images, labels };
    }
    return undefined;
  }

  private download(): void {
    const { mirrors, resources } = this.kind;
    const folder = this.rawFolder;
    const path = (file: string) => hostFiles().join(folder, file);
    hostFiles().download(
      resources.map(([file, md5]) => ({ urls: mirrors.map((mirror) => `${mirror}${file}`), path: path(file), md5 })),
    );
  }

  private check(files: Files): { images: Idx; labels: Idx } {
    const images = readIdx(files.images.bytes, 3, files.images.path);
    const labels = readIdx(files.labels.bytes, 1, files.labels.path);
    const [count, height, width] = images.shape;
    if (height !== SIDE || width !== SIDE) {
      throw new RuntimeError(
        `${files.images.path}: expected images of ${SIDE}x${SIDE} pixels, found ${height}x${width}`,
      );
    }
    if (count !== labels.shape[0]) {
      throw new RuntimeError(
        `${files.labels.path}: expected ${count} labels, one for each image of ${files.images.path}, found ${labels.shape[0]}`,
      );
    }
    const classes = this.classes.length;
    const odd = labels.data.findIndex((label) => label >= classes);
    if (odd >= 0) {
      throw new RuntimeError(
        `${files.labels.path}: expected labels from 0 to ${classes - 1}, found ${labels.data[odd]} at index ${odd}`,
      );
    }
    return { images, labels };
  }

  get length(): number {
    return this.data.shape[0];
  }

  private image(index: number): Image {
    const image = this.data.select(0, index);
    return this.transform === null ? (image as Image) : this.transform(image);
  }

  private target(index: number): Target {
    const label = this.targets.select(0, index).item();
    return this.targetTransform === null ? (label as Target) : this.targetTransform(label);
  }

  getItem(index: number): [Image, Target] {
    const i = wrapIndex(index, this.length);
    return [this.image(i), this.target(i)];
  }

  /** The batch that `defaultCollate` would make, by few kernels where the transform takes whole batches. */
  getBatch(indices: readonly number[]): [Collated<Image>, Collated<Target>] {
    const places = indexTensor(indices, this.length);
    const whole = this.transform === null ? (images: Tensor) => images : batchOf(this.transform);
    const at = () => indices.map((i) => wrapIndex(i, this.length));
    const images = whole && tidy(() => whole(indexSelect(this.data, 0, places)));
    const targets = this.targetTransform === null ? indexSelect(this.targets, 0, places) : undefined;
    if (images !== undefined && targets !== undefined) return [images, targets] as [Collated<Image>, Collated<Target>];
    const samples = at().map((i) => [images ? 0 : this.image(i), targets ? 0 : this.target(i)]);
    const [joinedImages, joinedTargets] = defaultCollate(samples, this.labels);
    return [images ?? joinedImages, targets ?? joinedTargets] as [Collated<Image>, Collated<Target>];
  }

  override toString(): string {
    const { transform, targetTransform } = this;
    const body = [
      `Number of datapoints: ${this.length}`,
      `Root location: ${this.root}`,
      `Split: ${this.train ? 'Train' : 'Test'}`,
    ];
    if (transform !== null || targetTransform !== null) {
      const steps = [labelled('Transform: ', transform), labelled('Target transform: ', targetTransform)];
      body.push(['StandardTransform', ...steps.flat()].join('\n'));
    }
    return [`Dataset ${this.kind.title}`, ...body.map((line) => `    ${line}`)].join('\n');
  }
}

/** Lines of a transform, indented under the first. */
function labelled(head: string, transform: unknown): string[] {
  if (transform === null) return [];
  const text =
    Object.hasOwn(transform as object, 'prototype') || !(transform as object).toString ? 'function' : String(transform);
  return text.split('\n').map((line, i) => (i === 0 ? head : ' '.repeat(head.length)) + line);
}

function readPlainOrGzip(folder: string, name: string): { path: string; bytes: Uint8Array } | undefined {
  const host = hostFiles();
  const plain = host.join(folder, name);
  const bytes = host.read(plain);
  if (bytes !== undefined) return { path: plain, bytes };
  const path = `${plain}.gz`;
  const packed = host.read(path);
  if (packed === undefined) return undefined;
  try {
    return { path, bytes: host.gunzip(packed) };
  } catch (error) {
    throw new RuntimeError(
      `${path}: expected gzip data, found ${packed.length} bytes that do not unpack (${(error as Error).message})`,
    );
  }
}

function bytesToTensor({ shape, data }: Idx): Tensor {
  const out = empty(shape, uint8);
  const { array, start } = out.elements();
  (array as Uint8Array).set(data, start);
  return out;
}

/**
 * Zalando's images of clothes, in MNIST's format. Files are looked for in `root/FashionMNIST/raw`, `root` and `root/data`.
 * Source: https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.FashionMNIST.html
 */
export class FashionMNIST<Image = Tensor, Target = number> extends MNIST<Image, Target> {
  static override title = 'FashionMNIST';
  static override mirrors: readonly string[] = ['http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/'];
  static override resources: readonly Resource[] = [
    ['train-images-idx3-ubyte.gz', '8d4fb7e6c68d591d4c3dfef9ec88bf0d'],
    ['train-labels-idx1-ubyte.gz', '25c81989df183df01b3e8a0aad5dffbe'],
    ['t10k-images-idx3-ubyte.gz', 'bef4ecab320f06d8554ea6380940ec79'],
    ['t10k-labels-idx1-ubyte.gz', 'bb300cfdad3c16e7a12a480ee83cd310'],
  ];
  static override classes: readonly string[] = [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ];
}

/**
 * Kuzushiji-MNIST: cursive Japanese characters, in MNIST's format. Files are looked for in `root/KMNIST/raw`, `root` and
 * `root/data`. Source: https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.KMNIST.html
 */
export class KMNIST<Image = Tensor, Target = number> extends MNIST<Image, Target> {
  static override title = 'KMNIST';
  static override mirrors: readonly string[] = ['http://codh.rois.ac.jp/kmnist/dataset/kmnist/'];
  static override resources: readonly Resource[] = [
    ['train-images-idx3-ubyte.gz', 'bdb82020997e1d708af4cf47b453dcf7'],
    ['train-labels-idx1-ubyte.gz', 'e144d726b3acfaa3e44228e80efcd344'],
    ['t10k-images-idx3-ubyte.gz', '5c965bf0a639b31b8f53240b1b52f4d7'],
    ['t10k-labels-idx1-ubyte.gz', '7320c461ea6c1c855c0b718fb2a4b134'],
  ];
  static override classes: readonly string[] = ['o', 'ki', 'su', 'tsu', 'na', 'ha', 'ma', 'ya', 're', 'wo'];
}
