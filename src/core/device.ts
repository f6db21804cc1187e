import { RuntimeError } from './errors.js';

/** Where a tensor lives; `String(torch.device('cpu'))` is `cpu`. */
export class Device {
  static readonly cpu = new Device('cpu');
  private constructor(readonly type: string) {}

  /** Reads a `device` argument. */
  static from(value: string | Device): Device {
    if (value instanceof Device) return value;
    if (value === 'cpu' || value === 'cpu:0') return Device.cpu;
    throw new RuntimeError(`device '${value}' is not available; devices here: cpu`);
  }

  toString(): string {
    return this.type;
  }
}
