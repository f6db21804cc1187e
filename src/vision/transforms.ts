import { getDefaultDtype, uint8 } from '../core/dtype.js';
import { checkOptions, describe, RuntimeError, ValueError } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';
import { pyRepr } from '../nn/format.js';
import { type TensorData, tensor } from '../tensor/create.js';
import { tidy } from '../tensor/environment.js';
import { type BatchFunction, batchOf, frugal } from './batch.js';

/** A step from one image (or whatever a data set gives) to another: one of the transforms here, or any function. */
export type TransformFunction<In = Tensor, Out = Tensor> = (input: In) => Out;

/** Transforms are called like functions. */
export interface Transform<In = Tensor, Out = Tensor> {
  (input: In): Out;
}

/**
 * Base of transforms: `forward` works on one image. A subclass may offer `batch` beside it, which takes a batch of images
 * as they are stored and must give, bit for bit, what `forward` gives for each; a data set then transforms batches whole.
 */
export abstract class Transform<In = Tensor, Out = Tensor> {
  constructor() {
    const call = (input: In): Out => (call as unknown as this).forward(input);
    Object.setPrototypeOf(call, new.target.prototype);
    Reflect.deleteProperty(call, 'name');
    Reflect.deleteProperty(call, 'length');
    // biome-ignore lint/correctness/noConstructorReturn: the returned function is what makes instances callable
    return call as unknown as this;
  }

  abstract forward(input: In): Out;

  toString(): string {
    return `${this.constructor.name}()`;
  }
}

Object.defineProperty(Transform.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: Transform) {
    return String(this);
  },
});

function checkImage(name: string, image: unknown): asserts image is Tensor {
  if (!(image instanceof Tensor)) throw new TypeError(`${name}: expected an image as a tensor, got ${describe(image)}`);
}

/** From the data set's layout to PyTorch's: channels first; bytes 0..255 become floats 0..1. */
function toChannelsFirst(images: Tensor, channelDim: number): Tensor {
  const hasChannels = images.ndim === channelDim + 1;
  const moved = hasChannels
    ? images
        .permute([...images.shape.keys()].toSpliced(channelDim, 1).toSpliced(channelDim - 2, 0, channelDim))
        .contiguous()
    : images.unsqueeze(channelDim - 2);
  return images.dtype === uint8 ? moved.to(getDefaultDtype()).div_(255) : moved;
}

/**
 * An image [height, width] or [height, width, channels] as a tensor [channels, height, width]: bytes 0..255 become
 * floats 0..1, other element types keep their values. Takes nested lists and typed arrays too.
 * Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html
 */
export class ToTensor extends Transform<TensorData, Tensor> {
  forward(image: TensorData): Tensor {
    const pixels = image instanceof Tensor ? image : tensor(image);
    if (pixels.ndim !== 2 && pixels.ndim !== 3) {
      throw new ValueError(`pic should be 2/3 dimensional. Got ${pixels.ndim} dimensions.`);
    }
    return toChannelsFirst(pixels, 2);
  }

  /** Images [n, height, width] or [n, height, width, channels]. */
  batch(images: Tensor): Tensor {
    return toChannelsFirst(images, 3);
  }
}

type PerChannel = number | readonly number[];

/**
 * (x - mean) / std for each channel of an image [..., channels, height, width].
 * Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html
 */
export class Normalize extends Transform<Tensor, Tensor> {
  readonly mean: PerChannel;
  readonly std: PerChannel;
  readonly inplace: boolean;

  constructor(mean: PerChannel, std: PerChannel, options?: { inplace?: boolean }) {
    super();
    checkOptions('Normalize', options, ['inplace']);
    for (const [name, value] of Object.entries({ mean, std })) {
      const values = typeof value === 'number' ? [value] : value;
      if (!Array.isArray(values) || values.length === 0 || !values.every(Number.isFinite)) {
        throw new TypeError(
          `Normalize: ${name} must be a number or a list with a number for each channel, got ${describe(value)}`,
        );
      }
      if (name === 'std' && values.includes(0)) {
        throw new ValueError('std evaluated to zero after conversion to tensor, leading to division by zero.');
      }
    }
    this.mean = mean;
    this.std = std;
    this.inplace = options?.inplace ?? false;
  }

  private perChannel(values: PerChannel, image: Tensor): Tensor | number {
    const list = typeof values === 'number' ? [values] : values;
    if (list.length === 1) return list[0];
    const channels = image.shape[image.ndim - 3];
    if (list.length !== channels) {
      throw new RuntimeError(
        `Normalize: ${list.length} values of mean or std do not fit an image with ${channels} channels`,
      );
    }
    return tensor(list, { dtype: image.dtype }).view(list.length, 1, 1);
  }

  forward(image: Tensor): Tensor {
    checkImage('Normalize', image);
    if (!image.isFloatingPoint()) throw new TypeError(`Input tensor should be a float tensor. Got ${image.dtype}.`);
    if (image.ndim < 3) {
      throw new ValueError(
        `Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = [${image.shape.join(', ')}]`,
      );
    }
    const mean = this.perChannel(this.mean, image);
    const std = this.perChannel(this.std, image);
    return (this.inplace ? image.sub_(mean) : image.sub(mean)).div_(std);
  }

  /** Images [n, channels, height, width]. */
  batch(images: Tensor): Tensor {
    return this.forward(images);
  }

  override toString(): string {
    return `Normalize(mean=${pyRepr(this.mean, true)}, std=${pyRepr(this.std, true)})`;
  }
}

/** A function as a transform. Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Lambda.html */
export class Lambda<In = Tensor, Out = Tensor> extends Transform<In, Out> {
  readonly lambd: TransformFunction<In, Out>;

  constructor(lambd: TransformFunction<In, Out>) {
    super();
    if (typeof lambd !== 'function') throw new TypeError(`Argument lambd should be callable, got ${describe(lambd)}`);
    this.lambd = lambd;
  }

  forward(input: In): Out {
    return this.lambd(input);
  }
}

/**
 * Transforms one after the other.
 * Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Compose.html
 */
export class Compose<In = Tensor, Out = Tensor> extends Transform<In, Out> {
  readonly transforms: TransformFunction<never, unknown>[];

  constructor(transforms: readonly TransformFunction<never, unknown>[]) {
    super();
    transforms.forEach((transform, i) => {
      if (typeof transform !== 'function')
        throw new TypeError(`Compose: entry ${i} is no transform but ${describe(transform)}`);
    });
    this.transforms = [...transforms];
  }

  forward(input: In): Out {
    let value: unknown = input;
    for (const transform of this.transforms) value = transform(value as never);
    return value as Out;
  }

  /** Whole batches, where every transform can. */
  get batch(): BatchFunction | undefined {
    const steps = this.transforms.map(batchOf);
    if (!steps.every((step) => step !== undefined)) return undefined;
    const batch: BatchFunction = (images) => tidy(() => steps.reduce((value, step) => step(value), images));
    frugal.add(batch);
    return batch;
  }

  override toString(): string {
    return ['Compose(', ...this.transforms.map((transform) => `    ${describeStep(transform)}`), ')'].join('\n');
  }
}

for (const { prototype } of [ToTensor, Normalize]) frugal.add(prototype.batch);

function describeStep(transform: unknown): string {
  return transform instanceof Transform ? String(transform) : `${(transform as { name: string }).name || 'function'}()`;
}
