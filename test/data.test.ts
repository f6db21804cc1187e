import * as torch from 'typetorch';
import { nn, optim, type Tensor } from 'typetorch';
import {
  BatchSampler,
  ConcatDataset,
  DataLoader,
  Dataset,
  defaultCollate,
  defaultConvert,
  RandomSampler,
  randomSplit,
  type Sampler,
  SequentialSampler,
  Subset,
  SubsetRandomSampler,
  TensorDataset,
  WeightedRandomSampler,
} from 'typetorch/data';
import { describe, expect, test, vi } from 'vitest';
import { readGolden } from './support/platform.js';

interface Goldens {
  loaders: {
    seed: number;
    n: number;
    batchSize: number;
    shuffle: boolean;
    dropLast: boolean;
    own: boolean;
    stop: number | null;
    length: number;
    epochs: number[][][];
    after: string;
    afterOwn: string | null;
  }[];
  samplers: { name: string; own: boolean; length: number; epochs: unknown[]; after: string }[];
  splits: { n: number; lengths: number[]; own: boolean; indices: number[][]; after: string }[];
}
const goldens = await readGolden<Goldens>('data');

const range = (n: number) => [...Array(n).keys()];
const draw64 = (generator?: torch.Generator) => {
  const drawn = torch.empty([1], { dtype: 'int64' }).random_(null, null, { generator }).toTypedArray();
  return String(drawn[0]);
};
const lists = (batches: Iterable<Tensor>) => [...batches].map((batch) => batch.tolist());

class Squares extends Dataset<{ x: number; label: number; name: string }> {
  readonly labels = ['label'];
  readonly length = 5;
  getItem(index: number) {
    return { x: index * index, label: index, name: `item ${index}` };
  }
}

describe('data sets', () => {
  test('DA-001 TensorDataset: item i is (X[i], y[i]), a batch the rows named', () => {
    const x = torch.arange(12, { dtype: 'float32' }).reshape(4, 3);
    const y = torch.tensor([5, 6, 7, 8], { dtype: 'int64' });
    const dataset = new TensorDataset(x, y);
    expect(dataset.length).toBe(4);
    const [row, target] = dataset.getItem(2);
    expect(row.tolist()).toEqual([6, 7, 8]);
    expect(target.item()).toBe(7);
    expect(dataset.getItem(-1)[1].item()).toBe(8);
    const [rows, targets] = dataset.getBatch([3, -4]);
    expect(rows.tolist()).toEqual([
      [9, 10, 11],
      [0, 1, 2],
    ]);
    expect(targets.dtype).toBe(torch.int64);
    expect(targets.tolist()).toEqual([8, 5]);
    expect([...dataset]).toHaveLength(4);
    expect(() => dataset.getItem(4)).toThrow('index 4 is out of range for a data set of 4 samples');
    expect(() => dataset.getBatch([0, 1.5])).toThrow('index 1.5 is out of range');
    expect(() => new TensorDataset(x, y.index('1:'))).toThrow(
      'Size mismatch between tensors: first dimensions are 4, 3',
    );
    expect(() => new TensorDataset()).toThrow('at least one tensor');
    expect(() => new TensorDataset(torch.tensor(1))).toThrow('argument 1 is a 0-d tensor');
  });

  test('DA-001 a batch of rows is the stack of the items, to the bit, and carries gradients', () => {
    torch.manualSeed(1);
    const dataset = new TensorDataset(
      torch.randn(40, 3, 2),
      torch.randint(10, [40]),
      torch.randn([40, 1], { dtype: 'float64' }),
    );
    const order = [7, 7, 0, 39, 12];
    const whole = dataset.getBatch(order);
    const stacked = defaultCollate(order.map((i) => dataset.getItem(i)));
    for (const [k, part] of whole.entries()) expect(torch.equal(part, stacked[k])).toBe(true);
    const w = torch.ones([4, 2], { requiresGrad: true });
    const [rows] = defaultCollate([3, 1, 3].map((i) => new TensorDataset(w).getItem(i)));
    rows
      .mul(
        torch.tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
      )
      .sum()
      .backward();
    expect(w.grad?.tolist()).toEqual([
      [0, 0],
      [3, 4],
      [0, 0],
      [6, 8],
    ]);
  });

  test('DA-009 Subset, ConcatDataset and iteration', () => {
    const squares = new Squares();
    expect([...squares].map(({ x }) => x)).toEqual([0, 1, 4, 9, 16]);
    const subset = new Subset(squares, [4, 0, 3]);
    expect(subset.length).toBe(3);
    expect(subset.getItem(-1).x).toBe(9);
    expect(subset.getItems([0, 1]).map(({ x }) => x)).toEqual([16, 0]);
    const joined = new ConcatDataset([squares, subset]);
    expect(joined.length).toBe(8);
    expect(joined.cumulativeSizes).toEqual([5, 8]);
    expect(range(8).map((i) => joined.getItem(i).x)).toEqual([0, 1, 4, 9, 16, 16, 0, 9]);
    expect(joined.getItems([7, 0, 6, 5]).map(({ x }) => x)).toEqual([9, 0, 0, 16]);
    expect(() => joined.getItem(8)).toThrow('index 8 is out of range');
    const [batch] = new DataLoader(joined, { batchSize: 8 });
    expect(batch.label.dtype).toBe(torch.int64);
    expect(() => new ConcatDataset([])).toThrow('datasets should not be an empty iterable');
    expect(() => new Subset({} as unknown as Squares, [])).toThrow(
      'expected a data set with length and getItem(index)',
    );
  });

  test('DA-009 a subclass that overrides getItem is not read past it', () => {
    class Doubled extends TensorDataset<[Tensor]> {
      override getItem(index: number): [Tensor] {
        return [super.getItem(index)[0].mul(2)];
      }
    }
    const [[batch]] = new DataLoader(new Doubled(torch.tensor([1, 2, 3])), 3);
    expect(batch.tolist()).toEqual([2, 4, 6]);
    const [[part]] = new DataLoader(new Subset(new Doubled(torch.tensor([1, 2, 3])), [2]));
    expect(part.tolist()).toEqual([6]);
  });
});

describe('splitting', () => {
  test.each(goldens.splits)(
    'DA-019 randomSplit of $n by $lengths, own generator: $own',
    ({ n, lengths, own, indices, after }) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      torch.manualSeed(42);
      const generator = own ? new torch.Generator().manualSeed(7) : undefined;
      const parts = randomSplit(range(n), lengths, { generator });
      expect(parts.map((part) => part.indices)).toEqual(indices);
      expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual(range(n));
      expect(draw64(generator)).toBe(after);
      expect(warn.mock.calls.length).toBe(indices.filter((part) => part.length === 0).length);
      warn.mockRestore();
    },
  );

  test('DA-014 DA-015 DA-019 parts do not overlap; slices cut in order; lengths must fit', () => {
    const x = torch.arange(100, { dtype: 'float32' });
    expect(x.index(':80').length).toBe(80);
    expect(x.index('80:').tolist()).toEqual(range(100).slice(80));
    const [train, val] = randomSplit(new TensorDataset(x), [55, 45], new torch.Generator().manualSeed(1));
    expect(new Set([...train.indices, ...val.indices]).size).toBe(100);
    expect(() => randomSplit(range(10), [3, 8])).toThrow(
      'Sum of input lengths does not equal the length of the input dataset!',
    );
    expect(() => randomSplit(range(10), [2.5, 7.5])).toThrow('whole lengths, or fractions that sum to 1');
    expect(() => randomSplit(range(10), [1.5, -0.5])).toThrow('Fraction at index 0 is not between 0 and 1');
    expect(() => randomSplit(range(10), [5, 5], { seed: 1 } as object)).toThrow("unexpected option 'seed'");
  });
});

const samplers: Record<string, (generator: torch.Generator | null) => Sampler<unknown> & { length: number }> = {
  sequential: () => new SequentialSampler(range(7)),
  random: (generator) => new RandomSampler(range(20), { generator }),
  replacement: (generator) => new RandomSampler(range(20), { replacement: true, generator }),
  replacement70: (generator) => new RandomSampler(range(20), { replacement: true, numSamples: 70, generator }),
  few: (generator) => new RandomSampler(range(20), { numSamples: 6, generator }),
  many: (generator) => new RandomSampler(range(6), { numSamples: 20, generator }),
  subset: (generator) => new SubsetRandomSampler([3, 1, 4, 15, 9, 26], { generator }),
  weighted: (generator) => new WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 12, { generator }),
  weightedOnce: (generator) =>
    new WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 5, { replacement: false, generator }),
  batch: (generator) => new BatchSampler(new RandomSampler(range(10), { generator }), 3, false),
  batchDrop: (generator) => new BatchSampler(new RandomSampler(range(10), { generator }), 3, true),
};

describe('samplers', () => {
  test.each(goldens.samplers)(
    'DA-009 $name gives what PyTorch gives, own generator: $own',
    ({ name, own, length, epochs, after }) => {
      torch.manualSeed(5);
      const generator = own ? new torch.Generator().manualSeed(9) : null;
      const sampler = samplers[name](generator);
      expect(sampler.length).toBe(length);
      expect([[...sampler], [...sampler]]).toEqual(epochs);
      expect(draw64(generator ?? undefined)).toBe(after);
    },
  );

  test('DA-009 samplers refuse what they cannot draw', () => {
    expect(() => new RandomSampler([])).toThrow('numSamples should be a positive integer value, but got numSamples=0');
    expect(() => new RandomSampler([1], { replacement: 1 as unknown as boolean })).toThrow(
      'replacement should be a boolean value',
    );
    expect(() => new RandomSampler([1], { num_samples: 1 } as object)).toThrow("did you mean 'numSamples'?");
    expect(() => new BatchSampler([1], 0, false)).toThrow(
      'batchSize should be a positive integer value, but got batchSize=0',
    );
    expect(() => new WeightedRandomSampler([[1]], 1)).toThrow('weights should be a 1d sequence');
    expect(() => new BatchSampler(new Set([1]), 1, false).length).toThrow('needs a sampler with a length');
  });
});

describe('loader', () => {
  test('DA-002 DA-004 the known answer for seed 42', () => {
    torch.manualSeed(42);
    const loader = new DataLoader(range(10), { batchSize: 4, shuffle: true });
    expect(lists(loader)).toEqual([
      [8, 0, 9, 1],
      [4, 5, 6, 3],
      [2, 7],
    ]);
  });

  test.each(goldens.loaders)(
    'DA-002 DA-004 three epochs as in PyTorch: $n by $batchSize, shuffle $shuffle, dropLast $dropLast, own generator $own, stop $stop',
    ({ seed, n, batchSize, shuffle, dropLast, own, stop, length, epochs, after, afterOwn }) => {
      torch.manualSeed(seed);
      const generator = own ? new torch.Generator().manualSeed(seed + 1) : null;
      const loader = new DataLoader(torch.arange(n), { batchSize, shuffle, dropLast, generator });
      expect(loader.length).toBe(length);
      for (const expected of epochs) {
        const epoch: unknown[] = [];
        for (const batch of loader) {
          epoch.push(batch.tolist());
          if (epoch.length === stop) break;
        }
        expect(epoch).toEqual(expected);
      }
      expect(draw64()).toBe(after);
      if (generator !== null) expect(draw64(generator)).toBe(afterOwn);
    },
  );

  test('DA-003 DA-005 DA-007 batch sizes: 1000 rows by 32 are 32 batches, the last of 8, or 31 with dropLast', () => {
    const dataset = new TensorDataset(torch.zeros(1000, 2));
    const sizes = (options: object) =>
      [...new DataLoader(dataset, { batchSize: 32, ...options })].map(([x]) => x.length);
    expect(sizes({})).toEqual([...Array(31).fill(32), 8]);
    expect(sizes({ dropLast: true })).toEqual(Array(31).fill(32));
    expect(new DataLoader(dataset, { batchSize: 32 }).length).toBe(32);
    expect(new DataLoader(dataset, { batchSize: 32, dropLast: true }).length).toBe(31);
    expect(new DataLoader(dataset).batchSize).toBe(1);
    expect(new DataLoader(dataset, 10).length).toBe(100);
    expect([...new DataLoader([] as number[], 4)]).toEqual([]);
  });

  test('DA-006 numWorkers changes neither order nor content', () => {
    const run = (numWorkers: number) => {
      torch.manualSeed(3);
      return lists(new DataLoader(range(50), { batchSize: 8, shuffle: true, numWorkers }));
    };
    expect(run(2)).toEqual(run(0));
  });

  test('DA-008 DA-017 each loop is an epoch, unpacks and counts; batches of an epoch do not overlap', () => {
    torch.manualSeed(0);
    const loader = new DataLoader(new TensorDataset(torch.arange(10), torch.arange(10).mul(2)), {
      batchSize: 3,
      shuffle: true,
    });
    const orders: number[][] = [];
    for (let epoch = 0; epoch < 2; epoch++) {
      const seen: number[] = [];
      let count = 1;
      for (const [x, y] of loader) {
        expect(torch.equal(y, x.mul(2))).toBe(true);
        seen.push(...(x.tolist() as number[]));
        count++;
      }
      expect(count).toBe(5);
      expect(seen.toSorted((a, b) => a - b)).toEqual(range(10));
      orders.push(seen);
    }
    expect(orders[0]).not.toEqual(orders[1]);
  });

  test('DA-008 for await gives the same batches and reads data sets of promises', async () => {
    const read = async (dataset: ConstructorParameters<typeof DataLoader<number>>[0]) => {
      torch.manualSeed(4);
      const out: unknown[] = [];
      for await (const batch of new DataLoader(dataset, { batchSize: 4, shuffle: true })) out.push(batch.tolist());
      return out;
    };
    torch.manualSeed(4);
    const expected = lists(new DataLoader(range(10), { batchSize: 4, shuffle: true }));
    expect(await read(range(10))).toEqual(expected);
    const slow = { length: 10, getItem: async (index: number) => index };
    torch.manualSeed(4);
    const loader = new DataLoader(slow, { batchSize: 4, shuffle: true });
    const out: unknown[] = [];
    for await (const batch of loader) out.push(batch.tolist());
    expect(out).toEqual(expected);
    expect(() => [...loader]).toThrow('read a data set that gives promises by for await');
  });

  test('DA-002 own samplers, batch samplers and collate functions', () => {
    const squares = new Squares();
    const bySampler = new DataLoader(squares, { sampler: [4, 2, 0], batchSize: 2 });
    expect([...bySampler].map(({ x }) => x.tolist())).toEqual([[16, 4], [0]]);
    expect(bySampler.length).toBe(2);
    const byBatch = new DataLoader(squares, { batchSampler: [[1], [3, 4]] });
    expect([...byBatch].map(({ name }) => name)).toEqual([['item 1'], ['item 3', 'item 4']]);
    const sums = new DataLoader(squares, {
      batchSize: 5,
      collateFn: (samples) => samples.reduce((sum, { x }) => sum + x, 0),
    });
    expect([...sums]).toEqual([30]);
    expect([...new DataLoader<number, number>([5, 6], { batchSize: null })]).toEqual([5, 6]);
    const viaItems = {
      length: 3,
      getItem: (i: number) => i,
      getItems: vi.fn((indices: readonly number[]) => indices.map((i) => i * 10)),
    };
    expect(lists(new DataLoader(viaItems, 3))).toEqual([[0, 10, 20]]);
    expect(viaItems.getItems).toHaveBeenCalledWith([0, 1, 2]);
  });

  test('DA-002 options are checked', () => {
    const make = (options: object) => () => new DataLoader(range(3), options);
    expect(make({ batch_size: 2 })).toThrow(
      "DataLoader() got an unexpected option 'batch_size' (did you mean 'batchSize'?)",
    );
    expect(make({ batchSize: 0 })).toThrow('batchSize should be a positive integer value');
    expect(make({ sampler: [1], shuffle: true })).toThrow('sampler option is mutually exclusive with shuffle');
    expect(make({ batchSampler: [[1]], batchSize: 2 })).toThrow('batchSampler option is mutually exclusive with');
    expect(make({ batchSize: null, dropLast: true })).toThrow('mutually exclusive with dropLast');
    expect(make({ numWorkers: -1 })).toThrow('numWorkers option should be non-negative');
    expect(() => new DataLoader(3 as unknown as number[])).toThrow(
      'expected a data set with length and getItem(index), a list or a tensor',
    );
    expect(() => new DataLoader([] as number[], { shuffle: true })).toThrow('got numSamples=0');
  });
});

describe('collating', () => {
  test('DA-002 tensors, numbers, booleans, bigints, strings, lists and objects', () => {
    const samples = [
      { x: torch.tensor([1, 2]), n: 3, b: true, big: 5n, s: 'a', pair: [1, [2]], typed: new Int32Array([1, 2]) },
      { x: torch.tensor([3, 4]), n: 4, b: false, big: 6n, s: 'b', pair: [3, [4]], typed: new Int32Array([3, 4]) },
    ];
    const batch = defaultCollate(samples);
    expect(batch.x.tolist()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(String(batch.n)).toBe('tensor([3., 4.])');
    expect(String(batch.b)).toBe('tensor([ True, False])');
    expect(String(batch.big)).toBe('tensor([5, 6])');
    expect(batch.s).toEqual(['a', 'b']);
    expect(String(batch.pair)).toBe('tensor([1., 3.]),tensor([2., 4.])');
    expect(batch.typed.dtype).toBe(torch.int32);
    expect(
      defaultCollate([new Map([['k', 1]]), new Map([['k', 2]])])
        .get('k')
        ?.tolist(),
    ).toEqual([1, 2]);
  });

  test('DA-002 columns of labels are int64, fractions in them an error', () => {
    const [x, label] = defaultCollate(
      [
        [0.5, 3],
        [1.5, 4],
      ],
      [1],
    ) as Tensor[];
    expect(x.dtype).toBe(torch.float32);
    expect(String(label)).toBe('tensor([3, 4])');
    const [batch] = new DataLoader(new Squares(), { batchSize: 3, shuffle: false });
    expect(batch.label.dtype).toBe(torch.int64);
    expect(batch.x.dtype).toBe(torch.float32);
    expect(() => defaultCollate([[1, 0.5]], [1])).toThrow('class labels must be whole numbers, got 0.5');
  });

  test('DA-002 samples that do not fit together are refused', () => {
    const refuse = (samples: unknown[], message: string) => expect(() => defaultCollate(samples)).toThrow(message);
    refuse(
      [torch.zeros(2), torch.zeros(3)],
      'stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1',
    );
    refuse([[1], [1, 2]], 'each element in list of batch should be of equal size');
    refuse([1, 'a'], "entry 0 is 1 but entry 1 is 'a'");
    refuse([{ a: 1 }, { b: 1 }], "a sample lacks the key 'a'");
    refuse([null], 'batch must contain tensors, typed arrays, numbers, dicts or lists; found null');
    refuse([new Date()], 'found Date');
    refuse([], 'expected at least one sample');
  });

  test('DA-002 without batches only typed arrays change', () => {
    const converted = defaultConvert({ a: new Float32Array([1, 2]), b: [3, 'c'] }) as { a: Tensor; b: unknown };
    expect(converted.a.tolist()).toEqual([1, 2]);
    expect(converted.b).toEqual([3, 'c']);
  });
});

describe('training from a loader', () => {
  test('TW-002 TW-005 TW-006 DA-018 a linear fit: sample-weighted loss, a print at step 20 of 32', () => {
    torch.manualSeed(0);
    const x = torch.randn(1000, 2);
    const y = x.matmul(torch.tensor([[2], [-3]])).add(0.5);
    const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 32, shuffle: true });
    const model = new nn.Linear(2, 1);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const prints: string[] = [];
    const losses: number[] = [];
    for (let epoch = 1; epoch <= 3; epoch++) {
      let total = 0;
      let count = 0;
      let step = 0;
      for (const [inputs, targets] of loader) {
        step++;
        optimizer.zeroGrad();
        const loss = model(inputs).sub(targets).pow(2).mean();
        loss.backward();
        optimizer.step();
        total += loss.item() * inputs.length;
        count += inputs.length;
        if (step % 20 === 0)
          prints.push(`epoch ${String(epoch).padStart(2, '0')} step ${step} loss ${loss.item().toFixed(4)}`);
      }
      expect(count).toBe(1000);
      losses.push(total / count);
    }
    expect(prints.map((line) => line.slice(0, 22))).toEqual([
      'epoch 01 step 20 loss ',
      'epoch 02 step 20 loss ',
      'epoch 03 step 20 loss ',
    ]);
    expect(losses[2]).toBeLessThan(losses[0] / 100);
    expect(model.bias?.item()).toBeCloseTo(0.5, 3);
  });
});
