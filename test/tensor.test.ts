import * as torch from 'typetorch';
import { describe, expect, it } from 'vitest';

describe('creation', () => {
  it('T-001 dtypes come from the kind of value, not from whether a number is whole', () => {
    expect(torch.tensor([1, 2]).dtype).toBe(torch.float32);
    expect(torch.tensor([true]).dtype).toBe(torch.bool);
    expect(torch.tensor([1n, 2n]).dtype).toBe(torch.int64);
    expect(torch.tensor(new Float64Array(2)).dtype).toBe(torch.float64);
    expect(torch.tensor([1, 2], { dtype: 'int64' }).dtype).toBe(torch.int64);
    expect(
      torch.tensor([
        [1, 2],
        [3, 4],
      ]).shape,
    ).toEqual([2, 2]);
    expect(() => torch.tensor([[1, 2], [3]])).toThrow('expected sequence of length 2 at dim 1 (got 1)');
    expect(() => torch.tensor([1], { dtpye: 'int64' } as never)).toThrow("did you mean 'dtype'?");
  });

  it('T-004 T-005 T-009 T-013 constants, by sizes or by list', () => {
    expect(torch.zeros(2, 3).tolist()).toEqual(torch.zeros([2, 3]).tolist());
    expect(torch.ones([4, 5], { dtype: torch.int32 }).sum().item()).toBe(20);
    expect(torch.full([2, 2], 7.5).tolist()).toEqual([
      [7.5, 7.5],
      [7.5, 7.5],
    ]);
    expect(torch.full([2], 7).dtype).toBe(torch.float32);
    expect(torch.zerosLike(torch.arange(3)).dtype).toBe(torch.int64);
    expect(() => torch.zeros(-1)).toThrow('negative dimension -1');
  });

  it('T-010 T-011 T-012 T-015 ranges and the identity', () => {
    expect(torch.linspace(0, 1, 5).tolist()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(torch.eye(3).sum().item()).toBe(3);
    expect(torch.arange(3).dtype).toBe(torch.int64);
    expect(torch.arange(0, 1, 0.25).tolist()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(torch.arange(10, { dtype: torch.float, requiresGrad: true }).isLeaf).toBe(true);
    expect(String(torch.float32)).toBe('torch.float32');
  });

  it('T-006 T-007 T-008 T-017 the same numbers as PyTorch for a seed', () => {
    const close = (t: torch.Tensor, expected: number[]) => {
      const got = t.tolist() as number[];
      expected.forEach((v, i) => {
        expect(got[i]).toBeCloseTo(v, 6);
      });
    };
    torch.manualSeed(42);
    close(torch.rand(5), [0.8822693, 0.915004, 0.3828638, 0.9593056, 0.3904482]);
    torch.manualSeed(42);
    close(torch.randn(5), [0.3366904, 0.1288094, 0.2344625, 0.230333, -1.1228564]);
    torch.manualSeed(42);
    close(torch.randn(20), [1.9269153, 1.4872841, 0.9007172, -2.105521]);
    torch.manualSeed(42);
    expect(torch.randperm(10).tolist()).toEqual([2, 6, 1, 8, 4, 5, 0, 9, 3, 7]);
    torch.manualSeed(42);
    expect(torch.randint(0, 10, [8]).tolist()).toEqual([2, 7, 6, 4, 6, 5, 0, 4]);
    torch.manualSeed(42);
    expect(torch.empty(12).bernoulli_(0.5).tolist()).toEqual([1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1]);
    torch.manualSeed(0);
    expect(torch.randLike(torch.zeros(2, 3)).shape).toEqual([2, 3]);
  });
});

describe('reading', () => {
  it('T-020 item, tolist and typed arrays', () => {
    expect(torch.tensor(3).item()).toBe(3);
    expect(torch.tensor([true]).item()).toBe(true);
    expect(torch.tensor([5n]).item()).toBe(5);
    expect(() => torch.ones(2).item()).toThrow('a Tensor with 2 elements cannot be converted to Scalar');
    expect(() => torch.tensor([2n ** 60n + 1n]).item()).toThrow('toTypedArray()');
    expect(torch.tensor([2n ** 60n + 1n]).toTypedArray()).toEqual(new BigInt64Array([2n ** 60n + 1n]));
    expect(torch.ones(2, 2).t().tolist()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(
      [
        ...torch.tensor([
          [1, 2],
          [3, 4],
        ]),
      ].map((row) => row.tolist()),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('N-035 prints as PyTorch', () => {
    const x = torch.tensor(
      [
        [1, 2],
        [3, 4.5],
      ],
      { requiresGrad: true },
    );
    expect(String(x)).toBe('tensor([[1.0000, 2.0000],\n        [3.0000, 4.5000]], requires_grad=True)');
    expect(String(x.mul(2))).toContain('grad_fn=<MulBackward0>');
    expect(String(torch.tensor([1n, 2n]))).toBe('tensor([1, 2])');
    expect(String(torch.tensor([1], { dtype: 'float64' }))).toBe('tensor([1.], dtype=torch.float64)');
    expect(String(torch.tensor([[1, 5]]).max(1))).toBe(
      'torch.return_types.max(\nvalues=tensor([5.]),\nindices=tensor([1]))',
    );
  });
});

describe('indexing', () => {
  const x = torch.arange(12).reshape(3, 4);

  it('IX-001 IX-002 IX-003 IX-006 integers, slices, null and the ellipsis give views', () => {
    expect(x.index(1).tolist()).toEqual([4, 5, 6, 7]);
    expect(x.index(':', -1).tolist()).toEqual([3, 7, 11]);
    expect(x.index(torch.slice(1, 3), '...', null).shape).toEqual([2, 4, 1]);
    expect(x.index('::2', '1:3').tolist()).toEqual([
      [1, 2],
      [9, 10],
    ]);
    const copy = x.clone();
    copy.index(0).fill_(9);
    expect(copy.index(0, 0).item()).toBe(9);
    copy.indexPut_([torch.slice(1, 3), 0], -1);
    expect(copy.index(':', 0).tolist()).toEqual([9, -1, -1]);
  });

  it('a list of indices copies, and what is not there says so', () => {
    expect(x.index([0, 2], ':').tolist()).toEqual([
      [0, 1, 2, 3],
      [8, 9, 10, 11],
    ]);
    expect(x.index(':', torch.tensor([-1n, 0n])).tolist()).toEqual([
      [3, 0],
      [7, 4],
      [11, 8],
    ]);
    expect(() => x.index(3)).toThrow('index 3 is out of bounds for dimension 0 with size 3');
    expect(() => x.index(0, 0, 0)).toThrow('too many indices for tensor of dimension 2');
    expect(() => x.index(x.gt(3))).toThrow('masks are not implemented');
  });
});

describe('dtypes', () => {
  it('numbers keep the category of tensors, fractions raise it', () => {
    const i = torch.arange(3);
    expect([i.add(1).dtype, i.add(0.5).dtype, i.div(2).dtype]).toEqual([torch.int64, torch.float32, torch.float32]);
    expect(torch.where(i.gt(1), 1, 0).dtype).toBe(torch.float32);
    expect(torch.resultType(i, torch.ones(1))).toBe(torch.float32);
    expect(torch.tensor([2.7, -2.7]).to('int32').tolist()).toEqual([2, -2]);
  });
});
