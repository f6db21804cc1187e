import type { Backend, Collector } from '../backend.js';
import { Slab } from '../backend.js';

/** What the compiled addon exports (kernels/native/addon.cpp). */
export interface NativeAddon {
  init(frame: Float64Array, threads: number): { isa: string; names: string[] };
  run(id: number): number;
  address(buffer: ArrayBuffer): number;
  setThreads(count: number): void;
  getThreads(): number;
  track(object: object): number;
  untrack(slot: number): void;
  sweep(out: Int32Array): number;
}

/** CPU kernels compiled for this machine; memory is ordinary `ArrayBuffer`s whose addresses the kernels receive. */
export class NativeBackend implements Backend {
  readonly device = 'cpu';
  readonly description: string;
  readonly frame = new Float64Array(4096);
  readonly collector: Collector;
  readonly run: (id: number) => number;
  private readonly ids = new Map<string, number>();

  constructor(
    private readonly addon: NativeAddon,
    threads: number,
    collect: (minor: boolean) => boolean,
  ) {
    const { isa, names } = addon.init(this.frame, threads);
    this.description = `native ${isa}`;
    names.forEach((name, id) => {
      this.ids.set(name, id);
    });
    this.run = addon.run;
    const dead = new Int32Array(1024);
    this.collector = {
      track: addon.track,
      untrack: addon.untrack,
      collect,
      sweep(callback) {
        let count: number;
        do {
          count = addon.sweep(dead);
          for (let i = 0; i < count; i++) callback(dead[i]);
        } while (count === dead.length);
      },
    };
  }

  kernelId(name: string): number {
    return this.ids.get(name) ?? -1;
  }

  newSlab(bytes: number): Slab {
    const buffer = new ArrayBuffer(bytes + 64);
    const address = this.addon.address(buffer);
    const skip = (64 - (address % 64)) % 64;
    return new Slab(buffer, skip, bytes, address + skip);
  }

  setThreads(count: number): void {
    this.addon.setThreads(count);
  }

  getThreads(): number {
    return this.addon.getThreads();
  }
}
