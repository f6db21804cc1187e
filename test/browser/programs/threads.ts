import type { Tensor } from 'typetorch';
import * as torch from 'typetorch';

/** For ops on many elements whether `threads` threads give the same bytes as one. */
export function sameOnThreads(threads: number): Record<string, boolean> {
  torch.manualSeed(0);
  const a = torch.randn(512, 512);
  const x = torch.randn(1024, 1024);
  const ops: Record<string, () => Tensor> = {
    matmul: () => a.matmul(a),
    exp: () => x.exp(),
    sum: () => x.sum(),
    softmax: () => x.softmax(1),
  };
  const bytes = (count: number, op: () => Tensor) => {
    torch.setNumThreads(count);
    return new Uint8Array(op().toTypedArray().buffer);
  };
  const before = torch.getNumThreads();
  try {
    return Object.fromEntries(
      Object.entries(ops).map(([name, op]) => {
        const one = bytes(1, op);
        const several = bytes(threads, op);
        return [name, one.length === several.length && one.every((byte, i) => byte === several[i])];
      }),
    );
  } finally {
    torch.setNumThreads(before);
  }
}
