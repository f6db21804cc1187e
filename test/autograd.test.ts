import * as torch from 'typetorch';
import { describe, expect, it } from 'vitest';

const leaf = (data: torch.TensorData) => torch.tensor(data, { requiresGrad: true });
const gradOf = (t: torch.Tensor) => (t.grad as torch.Tensor).tolist();

describe('autograd', () => {
  it('AG-001 AG-002 AG-011 tracks what is done with tensors that require grad', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    expect([x.isLeaf, y.isLeaf, y.requiresGrad]).toEqual([true, false, true]);
    expect(String(y.gradFn)).toBe('<MulBackward0>');
    expect(torch.tensor([1]).mul(2).requiresGrad).toBe(false);
    let z = x;
    for (let i = 0; i < 3; i++) z = i % 2 === 0 ? z.mul(x) : z.add(x);
    z.sum().backward();
    // z = (x*x + x) * x
    expect(gradOf(x)).toEqual([3 + 2, 12 + 4]);
  });

  it('AG-004 AG-005 AG-006 backward wants a scalar or weights', () => {
    const x = leaf([0, 1, 2]);
    const y = x.mul(x);
    expect(() => y.backward()).toThrow('grad can be implicitly created only for scalar outputs');
    y.backward(torch.tensor([1, 10, 100]));
    expect(gradOf(x)).toEqual([0, 20, 400]);
    expect(() => torch.tensor([1]).backward()).toThrow('does not require grad and does not have a grad_fn');
    expect(() => x.mul(2).backward(torch.ones(2))).toThrow('Mismatch in shape');
  });

  it('AG-007 AG-008 gradients accumulate until cleared', () => {
    const x = leaf([1, 2]);
    x.mul(3).sum().backward();
    x.mul(3).sum().backward();
    expect(gradOf(x)).toEqual([6, 6]);
    (x.grad as torch.Tensor).zero_();
    x.mul(3).sum().backward();
    expect(gradOf(x)).toEqual([3, 3]);
    x.grad = null;
    expect(x.grad).toBeNull();
  });

  it('AG-009 AG-010 a graph serves one backward unless it is retained', () => {
    const x = leaf([0, 1, 2]);
    const y = x.mul(x).sum();
    y.backward();
    expect(() => y.backward()).toThrow('Trying to backward through the graph a second time');
    x.grad = null;
    const z = x.mul(x).sum();
    z.backward(null, { retainGraph: true });
    z.backward();
    expect(gradOf(x)).toEqual([0, 4, 8]);
  });

  it('AG-012 retainGrad keeps the gradient of an intermediate', () => {
    const a = leaf([2]);
    const b = a.mul(3);
    b.retainGrad();
    b.mul(b).sum().backward();
    expect(gradOf(b)).toEqual([12]);
    expect(gradOf(a)).toEqual([36]);
    const c = a.mul(3);
    c.sum().backward();
    expect(c.grad).toBeNull();
  });

  it('AG-013 AG-037 AG-038 detach cuts the graph and shares memory', () => {
    const x = leaf([1, 2, 3]);
    const u = x.mul(x).detach();
    const z = u.mul(x);
    z.sum().backward();
    expect(gradOf(x)).toEqual(u.tolist());
    expect(u.requiresGrad).toBe(false);
    const d = x.detach();
    torch.noGrad(() => d.add_(1));
    expect(x.tolist()).toEqual([2, 3, 4]);
  });

  it('AG-014 noGrad as callback, async and with using; restores when the body throws', async () => {
    const x = leaf([1]);
    expect(torch.noGrad(() => x.mul(2).requiresGrad)).toBe(false);
    expect(() =>
      torch.noGrad(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(torch.isGradEnabled()).toBe(true);
    const result = await torch.noGrad(async () => {
      await Promise.resolve();
      return x.mul(2);
    });
    expect(result.requiresGrad).toBe(false);
    expect(torch.isGradEnabled()).toBe(true);
    {
      using _ = torch.noGrad();
      expect(x.mul(2).requiresGrad).toBe(false);
      expect(torch.enableGrad(() => x.mul(2).requiresGrad)).toBe(true);
    }
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  it('AG-017 AG-018 AG-020 AG-022 local rules and fan-out', () => {
    const a = leaf([2]);
    const b = leaf([5]);
    a.add(b).mul(a).sum().backward();
    expect([gradOf(a), gradOf(b)]).toEqual([[9], [2]]);
    const x = leaf([4]);
    x.reciprocal().sum().backward();
    expect(gradOf(x)).toEqual([-1 / 16]);
  });

  it("AG-019 AG-024 sub-gradients at kinks are PyTorch's", () => {
    const x = leaf([-1, 0, 2]);
    x.relu().sum().backward();
    expect(gradOf(x)).toEqual([0, 0, 1]);
    const y = leaf([-2, 0, 3]);
    y.abs().sum().backward();
    expect(gradOf(y)).toEqual([-1, 0, 1]);
    const p = leaf([3, 3, 1]);
    p.max().backward();
    expect(gradOf(p)).toEqual([0.5, 0.5, 0]);
  });

  it('AG-003 AG-039 backward runs through a long chain without deep recursion', () => {
    const x = leaf([1]);
    let y = x;
    for (let i = 0; i < 100_000; i++) y = y.add(1);
    y.sum().backward();
    expect(gradOf(x)).toEqual([1]);
  });

  it('IP-007 IP-008 in-place changes that autograd cannot follow are refused', () => {
    const x = leaf([1, 2]);
    expect(() => x.add_(1)).toThrow('a leaf Variable that requires grad is being used in an in-place operation.');
    expect(() => x.view(2, 1).add_(1)).toThrow('a view of a leaf Variable that requires grad');
    expect(x.tolist()).toEqual([1, 2]);
    torch.noGrad(() => x.add_(1));
    expect(x.tolist()).toEqual([2, 3]);
    const y = x.mul(2);
    const z = y.exp();
    z.add_(1);
    expect(() => z.sum().backward()).toThrow(/modified by an inplace operation.*is at version 1; expected version 0/);
  });

  it('in-place ops are recorded', () => {
    const x = leaf([1, 2, 3]);
    const y = x.mul(2);
    y.mul_(x);
    y.add_(1);
    y.sum().backward();
    expect(gradOf(x)).toEqual([4, 8, 12]);
  });

  it('grad() leaves .grad alone, goes to higher orders, and names unused inputs', () => {
    const x = leaf([2]);
    const y = x.pow(4);
    const [first] = torch.autograd.grad(y, x, { createGraph: true });
    const [second] = torch.autograd.grad(first as torch.Tensor, x, { createGraph: true });
    const [third] = torch.autograd.grad(second as torch.Tensor, x);
    expect([first, second, third].map((t) => (t as torch.Tensor).item())).toEqual([32, 48, 48]);
    expect(x.grad).toBeNull();
    const unused = leaf([1]);
    expect(() => torch.autograd.grad(x.mul(2), unused)).toThrow('appears to not have been used in the graph');
    expect(torch.autograd.grad(x.mul(2), unused, { allowUnused: true })).toEqual([null]);
  });

  it('hooks see and replace gradients', () => {
    const x = leaf([1, 2]);
    const seen: unknown[] = [];
    const handle = x.registerHook((g) => {
      seen.push(g.tolist());
      return g.mul(10);
    });
    x.mul(3).sum().backward();
    expect(seen).toEqual([[3, 3]]);
    expect(gradOf(x)).toEqual([30, 30]);
    handle.remove();
    x.grad = null;
    x.mul(3).sum().backward();
    expect(gradOf(x)).toEqual([3, 3]);
  });

  it('AG-036 gradcheck finds a wrong derivative', () => {
    const x = torch.randn([3, 4], { dtype: 'float64', requiresGrad: true });
    expect(torch.autograd.gradcheck((t) => t.mul(t).sin(), [x])).toBe(true);
    expect(torch.autograd.gradgradcheck((t) => t.mul(t).sin(), [x])).toBe(true);
    expect(() => torch.autograd.gradcheck((t) => t.mul(t.detach()), [x])).toThrow('Jacobian mismatch');
    expect(torch.autograd.gradcheck((t) => t.mul(t.detach()), [x], { raiseException: false })).toBe(false);
  });

  it('T-014 only floating point tensors may require grad', () => {
    expect(() => torch.tensor([1n], { requiresGrad: true })).toThrow('only Tensors of floating point');
    expect(() => torch.arange(3).requiresGrad_()).toThrow('only Tensors of floating point');
  });

  it('a broadcast operand gets the sum of its gradients, in its own dtype', () => {
    const a = leaf([
      [1, 2],
      [3, 4],
    ]);
    const b = torch.tensor([10, 20], { dtype: 'float64', requiresGrad: true });
    const y = a.mul(b);
    expect(y.dtype).toBe(torch.float64);
    y.sum().backward();
    expect(gradOf(b)).toEqual([4, 6]);
    expect([(a.grad as torch.Tensor).dtype, (b.grad as torch.Tensor).dtype]).toEqual([torch.float32, torch.float64]);
  });
});

describe('views changed in place', () => {
  it('AG-001 IP-008 the base and its other views see the change, values and gradients', () => {
    const x = leaf([
      [1, 2],
      [3, 4],
    ]);
    const w = leaf([10, 20]);
    const base = x.mul(1);
    const row = base.select(0, 0);
    const column = base.select(1, 1);
    row.mul_(w);
    expect(base.tolist()).toEqual([
      [10, 40],
      [3, 4],
    ]);
    expect(String(base.gradFn)).toBe('<CopySlices>');
    base.sum().add(column.sum()).backward();
    // base = [[x00 w0, x01 w1], [x10, x11]]; column adds its second entries once more.
    expect(gradOf(x)).toEqual([
      [10, 40],
      [1, 2],
    ]);
    expect(gradOf(w)).toEqual([1, 4]);
  });

  it('a base that needed no gradient gets one through a view', () => {
    const w = leaf([2, 3]);
    const base = torch.zeros(2, 2);
    const early = base.select(0, 1);
    base.select(0, 1).copy_(w.mul(5));
    expect(base.requiresGrad).toBe(true);
    expect(early.requiresGrad).toBe(true);
    base.mul(base).sum().backward();
    expect(gradOf(w)).toEqual([2 * 10 * 5, 2 * 15 * 5]);
  });

  it('a view follows in-place changes of its base', () => {
    const x = leaf([1, 2, 3]);
    const base = x.mul(1);
    const part = base.narrow(0, 1, 2);
    base.mul_(base.detach().clone());
    part.sum().backward();
    expect(gradOf(x)).toEqual([0, 2, 3]);
  });

  it('filled parts pass no gradient, and second derivatives go through', () => {
    const x = torch.randn([3, 4], { dtype: 'float64', requiresGrad: true });
    const fn = (t: torch.Tensor) => {
      const y = t.mul(t);
      y.select(0, 0).fill_(2);
      y.narrow(1, 1, 2).mul_(t.narrow(1, 0, 2));
      return y.sin();
    };
    expect(torch.autograd.gradcheck(fn, [x])).toBe(true);
    expect(torch.autograd.gradgradcheck(fn, [x])).toBe(true);
  });
});
