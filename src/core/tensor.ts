import { backend } from '../backend/backend.js';
import { Device } from './device.js';
import type { DType, TypedArray } from './dtype.js';
import { IndexError, RuntimeError } from './errors.js';
import { contiguousStrides, isContiguous, numelOf, type Shape } from './shape.js';
import { Storage } from './storage.js';
import type { AccumulateGrad, Node } from './tape.js';

/**
 * A view of a storage (shape, strides, offset, dtype) and its place in autograd.
 * Ops appear as methods through `tensor/methods.ts`, which derives them from the op records.
 */
export class Tensor {
  readonly storage: Storage;
  readonly shape: Shape;
  /** @internal Steps between elements along each dimension. */
  readonly strides: Shape;
  /** @internal Index of the first element in the storage. */
  readonly offset: number;
  readonly dtype: DType;
  /** @internal */
  readonly count: number;
  private tracked = false;
  private node: Node | null = null;
  /** @internal Which output of that node. */
  outputNr = 0;
  /** @internal */
  accumulator: AccumulateGrad | null = null;
  /** @internal The gradient, as the framework sees it; users read `.grad`. */
  gradient: Tensor | null = null;
  /** @internal */
  gradRetained = false;
  /** @internal */
  hooks: ((grad: Tensor) => Tensor | null | undefined)[] | null = null;
  /** @internal Raised when an in-place op gives this tensor a new history. */
  historyVersion = 0;
  /** @internal Whether the elements lie in row-major order, once known. */
  rowMajor: boolean | undefined = undefined;
  /** @internal The tensor this is a view of; never a view itself. */
  base: Tensor | null = null;
  /** @internal The base's history that this view's gradient goes to. */
  baseHistory = 0;

  /** @internal Tensors are made by `torch.tensor`, `torch.zeros` and ops. */
  constructor(storage: Storage, shape: Shape, strides: Shape, offset: number, dtype: DType, count = numelOf(shape)) {
    this.storage = storage;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.dtype = dtype;
    this.count = count;
  }

  /** The node that made this tensor, null for leaves. */
  get gradFn(): Node | null {
    if (this.base !== null && this.baseHistory !== this.base.historyVersion) this.followBase(this.base);
    return this.node;
  }

  set gradFn(node: Node | null) {
    this.node = node;
  }

  /** @internal `requiresGrad` without its checks. */
  get needsGrad(): boolean {
    if (this.base !== null && this.baseHistory !== this.base.historyVersion) this.followBase(this.base);
    return this.tracked;
  }

  set needsGrad(value: boolean) {
    this.tracked = value;
  }

  /** The base was changed in place since: this view is now a view of its new history. */
  private followBase(base: Tensor): void {
    this.baseHistory = base.historyVersion;
    if (!base.needsGrad) return;
    this.node = viewNode(base, this);
    this.outputNr = 0;
    this.tracked = true;
  }

  /** Whether autograd records what is done with this tensor. */
  get requiresGrad(): boolean {
    return this.needsGrad;
  }

  set requiresGrad(value: boolean) {
    if (this.gradFn !== null) {
      if (value) return;
      throw new RuntimeError(
        'you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that does not require differentiation use varNoGrad = var.detach().',
      );
    }
    if (value && this.dtype.category !== 'float') {
      throw new RuntimeError('only Tensors of floating point dtype can require gradients');
    }
    this.needsGrad = value;
  }

  /** Sets `requiresGrad` in place and returns the tensor. */
  requiresGrad_(value = true): this {
    this.requiresGrad = value;
    return this;
  }

  /** True for tensors that no recorded op has made. */
  get isLeaf(): boolean {
    return this.gradFn === null;
  }

  /** The accumulated gradient of a leaf, null before the first backward. */
  get grad(): Tensor | null {
    // Seen by user code now, so zeroGrad may no longer reuse the memory at once.
    if (this.gradient !== null) this.gradient.storage.visible = true;
    return this.gradient;
  }

  set grad(value: Tensor | null) {
    if (value !== null) {
      if (!(value instanceof Tensor))
        throw new TypeError(`assigned grad expected to be a Tensor or null but got ${typeof value}`);
      if (value === this) throw new RuntimeError("can't assign Variable as its own grad");
      if (value.dtype !== this.dtype) {
        throw new RuntimeError(
          `assigned grad has data of a different type: expected ${this.dtype}, got ${value.dtype}`,
        );
      }
      if (value.shape.join() !== this.shape.join()) {
        throw new RuntimeError(
          `assigned grad has data of a different size: expected [${this.shape.join(', ')}], got [${value.shape.join(', ')}]`,
        );
      }
    }
    this.replaceGradient(value);
  }

  /** @internal Swaps the gradient; memory that user code never saw is free again at once. */
  replaceGradient(value: Tensor | null): void {
    if (value === this.gradient) return;
    value?.storage.retain();
    this.gradient?.storage.drop();
    this.gradient = value;
  }

  get ndim(): number {
    return this.shape.length;
  }

  /** Number of dimensions. */
  dim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  numel(): number {
    return this.count;
  }

  /** The shape, or the size of one dimension. */
  size(): Shape;
  size(dim: number): number;
  size(dim?: number): Shape | number {
    if (dim === undefined) return this.shape;
    const n = this.shape.length;
    if (n === 0) throw new IndexError('dimension specified as 0 but tensor has no dimensions');
    if (!Number.isInteger(dim) || dim < -n || dim >= n) {
      throw new IndexError(`Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`);
    }
    return this.shape[dim < 0 ? dim + n : dim];
  }

  /** Steps between elements along each dimension, or along one. */
  stride(): Shape;
  stride(dim: number): number;
  stride(dim?: number): Shape | number {
    if (dim === undefined) return this.strides;
    return this.strides[dim < 0 ? dim + this.shape.length : dim];
  }

  storageOffset(): number {
    return this.offset;
  }

  elementSize(): number {
    return this.dtype.itemsize;
  }

  get device(): Device {
    return Device.cpu;
  }

  isContiguous(): boolean {
    this.rowMajor ??= isContiguous(this.shape, this.strides);
    return this.rowMajor;
  }

  isFloatingPoint(): boolean {
    return this.dtype.category === 'float';
  }

  /** `len(tensor)`: the size of the first dimension. */
  get length(): number {
    if (this.shape.length === 0) throw new TypeError('length of a 0-d tensor');
    return this.shape[0];
  }

  /** @internal Address of the first element. */
  get address(): number {
    const { storage } = this;
    if (storage.freed) throw new RuntimeError('this tensor was disposed of; its memory is gone');
    return storage.address + this.offset * this.dtype.itemsize;
  }

  /** @internal The slab's view of this dtype and the index of element 0 in it. */
  elements(): { array: TypedArray; start: number } {
    const { storage, dtype } = this;
    if (storage.freed) throw new RuntimeError('this tensor was disposed of; its memory is gone');
    const array = storage.slab[dtype.view];
    return { array, start: (storage.address - storage.slab.base) / dtype.itemsize + this.offset };
  }

  /** @internal `torch.FloatTensor`, as error messages name the type. */
  typeName(): string {
    return `torch.${this.dtype.title}Tensor`;
  }

  /** How often the storage was changed in place. */
  get _version(): number {
    return this.storage.version;
  }

  /** Gives the memory back now instead of when the collector finds it unused; any later use throws. Never needed. */
  dispose(): void {
    this.storage.free();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

let viewNode: (base: Tensor, view: Tensor) => Node | null = () => null;

/** @internal Says how the history of a view is made from its base's; `ops/strided.ts` knows. */
export function setViewNode(make: typeof viewNode): void {
  viewNode = make;
}

/** A new, uninitialised tensor in row-major order. */
export function empty(shape: Shape, dtype: DType): Tensor {
  const count = numelOf(shape);
  const out = new Tensor(new Storage(count * dtype.itemsize), shape, contiguousStrides(shape), 0, dtype, count);
  out.rowMajor = true;
  return out;
}

/** A new, uninitialised tensor with the shape of a row-major one, which shares shape and strides with it. */
export function emptyBeside(like: Tensor, dtype: DType): Tensor {
  const out = new Tensor(new Storage(like.count * dtype.itemsize), like.shape, like.strides, 0, dtype, like.count);
  out.rowMajor = true;
  return out;
}

/** Another view of a tensor's storage. */
export function view(of: Tensor, shape: Shape, strides: Shape, offset: number): Tensor {
  return new Tensor(of.storage, shape, strides, offset, of.dtype);
}

const scratchSlots = 64;
let scratch: Storage | undefined;
let scratchNext = 0;

/** Address of one element holding `value`, for kernels that take a number where a tensor may stand. Reused after 64 calls. */
export function scalarAddress(value: number, dtype: DType): number {
  scratch ??= new Storage(scratchSlots * 8);
  scratchNext = (scratchNext + 1) % scratchSlots;
  const { slab, address } = scratch;
  const byte = address - slab.base + scratchNext * 8;
  switch (dtype.view) {
    case 'f32':
      slab.f32[byte >> 2] = value;
      break;
    case 'f64':
      slab.f64[byte >> 3] = value;
      break;
    case 'i64':
      slab.i64[byte >> 3] = BigInt(Math.trunc(value));
      break;
    case 'i32':
      slab.i32[byte >> 2] = value;
      break;
    case 'u8':
      slab.u8[byte] = dtype.category === 'bool' ? Number(value !== 0) : value;
  }
  return address + scratchNext * 8;
}

/** The kernel arguments' frame of the backend in use. */
export function frame(): Float64Array {
  return backend().frame;
}
