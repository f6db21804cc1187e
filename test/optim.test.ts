import * as torch from 'typetorch';
import { describe, expect, it } from 'vitest';
import { bytesOf, readGolden } from './support/platform.js';

const { optim } = torch;

interface Golden {
  seed: number;
  cases: { name: 'SGD' | 'Adam' | 'AdamW'; options: Record<string, unknown>; rows: string }[];
}
const golden = await readGolden<Golden>('optim');
const camel = (key: string) => key.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());

function problem() {
  torch.manualSeed(golden.seed);
  const options = { dtype: torch.float64 };
  const x = torch.randn([20, 5], options);
  const goal = torch.randn([20, 3], options);
  const w = torch.randn([5, 3], options).requiresGrad_();
  const b = torch.randn([3], options).requiresGrad_();
  return { x, goal, w, b, loss: () => x.matmul(w).add(b).sub(goal).square().mean() };
}

describe('optimizers follow PyTorch for 50 steps in float64', () => {
  for (const { name, options, rows } of golden.cases) {
    it(`${name} ${JSON.stringify(options)}`, () => {
      const { w, b, loss } = problem();
      const settings = Object.fromEntries(Object.entries(options).map(([k, v]) => [camel(k), v]));
      const optimizer = new optim[name]([w, b], settings);
      const expected = new Float64Array(bytesOf(rows).buffer);
      for (let step = 0; step < 50; step++) {
        optimizer.zeroGrad();
        const value = loss();
        value.backward();
        optimizer.step();
        const got = [...(w.tolist() as number[][]).flat(), ...(b.tolist() as number[]), value.item()];
        for (let i = 0; i < got.length; i++) {
          const want = expected[step * got.length + i];
          const off = Math.abs(got[i] - want);
          expect(off, `step ${step}, value ${i}: ${got[i]} for ${want}`).toBeLessThanOrEqual(
            1e-10 + 1e-10 * Math.abs(want),
          );
        }
      }
    });
  }
});

describe('optimizers', () => {
  it('O-001 O-002 keep groups with settings of their own', () => {
    const { w, b } = problem();
    const optimizer = new optim.SGD([{ params: [w], lr: 0.5 }, { params: b }], { lr: 0.1 });
    expect(optimizer.paramGroups.map((g) => g.lr)).toEqual([0.5, 0.1]);
    expect(() => optimizer.addParamGroup({ params: [w] })).toThrow(
      'some parameters appear in more than one parameter group',
    );
  });

  it('refuse bad settings before anything is made', () => {
    const { w } = problem();
    expect(() => new optim.SGD([w], { lr: -1 })).toThrow('Invalid learning rate: -1');
    expect(() => new optim.SGD([w], { lr: 1, nesterov: true })).toThrow(
      'Nesterov momentum requires a momentum and zero dampening',
    );
    expect(() => new optim.Adam([w], { betas: [1, 0.9] })).toThrow('Invalid beta parameter at index 0: 1');
    expect(() => new optim.SGD([w], { learningRate: 1 } as never)).toThrow("unexpected option 'learningRate'");
    expect(() => new optim.SGD([], { lr: 1 })).toThrow('empty parameter list');
    expect(() => new optim.SGD([w.mul(2)], { lr: 1 })).toThrow("can't optimize a non-leaf Tensor");
  });

  it('go on from a saved state as if there had been no break', () => {
    const run = (breakAt: number | undefined) => {
      const { w, b, loss } = problem();
      let optimizer = new optim.Adam([w, b], { lr: 0.05, amsgrad: true });
      for (let step = 0; step < 10; step++) {
        if (step === breakAt) {
          const state = optimizer.stateDict();
          optimizer = new optim.Adam([w, b], { lr: 1 });
          optimizer.loadStateDict(state);
        }
        optimizer.zeroGrad();
        loss().backward();
        optimizer.step();
      }
      return w.tolist();
    };
    expect(run(5)).toEqual(run(undefined));
  });

  it('W-28 name their state as PyTorch does', () => {
    const { w, loss } = problem();
    const optimizer = new optim.Adam([w], { lr: 0.1 });
    loss().backward();
    optimizer.step();
    expect(Object.keys(optimizer.state.get(w) as object)).toEqual(['step', 'exp_avg', 'exp_avg_sq']);
    const plain = new optim.SGD([w], { lr: 0.1 });
    plain.step();
    expect(plain.state.size).toBe(0);
    expect(Object.keys(plain.stateDict().param_groups[0])).toContain('weight_decay');
  });

  it('update float32 parameters as the formula says, a thousand in one step', () => {
    const params = Array.from({ length: 1500 }, (_, i) => torch.full([3], i, { requiresGrad: true }));
    const optimizer = new optim.SGD(params, { lr: 0.5 });
    for (const p of params) p.grad = torch.ones(3);
    optimizer.step();
    params.forEach((p, i) => {
      expect(p.tolist()).toEqual([i - 0.5, i - 0.5, i - 0.5]);
    });
  });
});
