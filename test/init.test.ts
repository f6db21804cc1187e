import * as torch from 'typetorch';
import { describe, expect, it } from 'vitest';

const { init } = torch.nn;

/** What PyTorch 2.13 gives after torch.manual_seed(3) on a [2, 3] tensor. */
const cases: [string, (w: torch.Tensor) => torch.Tensor, number[]][] = [
  [
    'xavierUniform_',
    (w) => init.xavierUniform_(w, 2),
    [-2.1722085, -1.7283086, -0.9383913, -2.0727801, -0.1243796, -1.9274739],
  ],
  ['xavierNormal_', (w) => init.xavierNormal_(w), [0.5080364, 0.1105743, 0.0562747, -0.3881494, 0.0292083, -0.8653631]],
  [
    'kaimingNormal_',
    (w) => init.kaimingNormal_(w, { mode: 'fan_out', nonlinearity: 'relu' }),
    [0.8032761, 0.1748334, 0.0889781, -0.613718, 0.0461825, -1.3682592],
  ],
  [
    'kaimingUniform_',
    (w) => init.kaimingUniform_(w, { nonlinearity: 'relu' }),
    [-1.4021544, -1.1156183, -0.6057289, -1.3379737, -0.0802867, -1.244179],
  ],
];

describe('nn.init', () => {
  for (const [name, fill, expected] of cases) {
    it(`${name} gives PyTorch's numbers, and a leaf that requires grad may be filled`, () => {
      torch.manualSeed(3);
      const w = new torch.nn.Parameter(torch.empty(2, 3));
      expect(fill(w)).toBe(w);
      (w.tolist() as number[][]).flat().forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i], 6);
      });
      expect(w.isLeaf && w.requiresGrad).toBe(true);
    });
  }

  it('constants, and errors', () => {
    expect(init.ones_(torch.empty(2)).tolist()).toEqual([1, 1]);
    expect(init.zeros_(torch.empty(2)).tolist()).toEqual([0, 0]);
    expect(init.constant_(torch.empty(2), 3).tolist()).toEqual([3, 3]);
    expect(() => init.xavierUniform_(torch.empty(2))).toThrow('fewer than 2 dimensions');
    expect(() => init.kaimingUniform_(torch.empty(2, 2), { mode: 'fan' as never })).toThrow('Mode fan not supported');
    expect(init.calculateGain('tanh')).toBeCloseTo(5 / 3, 12);
  });
});
