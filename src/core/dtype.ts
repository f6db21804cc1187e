/** Element types. Categories decide promotion: bool < integer < float. */
export type DTypeName = 'bool' | 'uint8' | 'int32' | 'int64' | 'float32' | 'float64';
export type Category = 'bool' | 'integer' | 'float';
export type TypedArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;
/** Names of the views that a slab offers. */
export type SlabView = 'f32' | 'f64' | 'i64' | 'i32' | 'u8';

/** An element type; `String(torch.float32)` is `torch.float32`. */
export class DType {
  constructor(
    readonly name: DTypeName,
    readonly index: number,
    readonly itemsize: number,
    readonly category: Category,
    /** Suffix of kernel names. */
    readonly suffix: string,
    readonly view: SlabView,
    /** Name in PyTorch's messages, such as Float or Long. */
    readonly title: string,
  ) {}

  get isFloatingPoint(): boolean {
    return this.category === 'float';
  }

  toString(): string {
    return `torch.${this.name}`;
  }
}

export const bool = new DType('bool', 0, 1, 'bool', 'bool', 'u8', 'Bool');
export const uint8 = new DType('uint8', 1, 1, 'integer', 'u8', 'u8', 'Byte');
export const int32 = new DType('int32', 2, 4, 'integer', 'i32', 'i32', 'Int');
export const int64 = new DType('int64', 3, 8, 'integer', 'i64', 'i64', 'Long');
export const float32 = new DType('float32', 4, 4, 'float', 'f32', 'f32', 'Float');
export const float64 = new DType('float64', 5, 8, 'float', 'f64', 'f64', 'Double');

/** All element types, in order of promotion. */
export const dtypes: readonly DType[] = [bool, uint8, int32, int64, float32, float64];

const aliases: Record<string, DType> = {
  float: float32,
  double: float64,
  int: int32,
  long: int64,
};
for (const d of dtypes) aliases[d.name] = d;

/** What the `dtype` option takes: a dtype or its name. */
export type DTypeLike = DType | DTypeName | 'float' | 'double' | 'int' | 'long';

/** Reads a `dtype` option. */
export function toDType(value: DTypeLike): DType {
  if (value instanceof DType) return value;
  const found = typeof value === 'string' && Object.hasOwn(aliases, value) ? aliases[value] : undefined;
  if (found === undefined) {
    throw new TypeError(`dtype: expected one of ${dtypes.map((d) => d.name).join(', ')}, got ${String(value)}`);
  }
  return found;
}

let defaultDType = float32;

/** The dtype of floating point tensors that name none. */
export function getDefaultDtype(): DType {
  return defaultDType;
}

/** Sets the dtype of floating point tensors that name none (`float32` or `float64`). */
export function setDefaultDtype(dtype: DTypeLike): void {
  const d = toDType(dtype);
  if (d.category !== 'float')
    throw new TypeError(`only floating-point types are supported as the default type, got ${d}`);
  defaultDType = d;
}

/** PyTorch's promotion of two dtypes; `dtypes` stands in an order that makes it the larger one, but for uint8 with signed types, which this set has no clash for. */
export function promote(a: DType, b: DType): DType {
  return a.index >= b.index ? a : b;
}

/** Whether values of one dtype may be written into another in place, as `torch.can_cast`. */
export function canCast(from: DType, to: DType): boolean {
  const rank = { bool: 0, integer: 1, float: 2 };
  return rank[from.category] <= rank[to.category];
}
