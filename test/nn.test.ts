import * as torch from 'typetorch';
import { describe, expect, expectTypeOf, it } from 'vitest';

const { nn } = torch;

class MyNet extends nn.Module {
  fc1 = new nn.Linear(784, 256);
  fc2 = new nn.Linear(256, 128);
  fc3 = new nn.Linear(128, 10);
  forward(x: torch.Tensor): torch.Tensor {
    return this.fc3(this.fc2(this.fc1(x).relu()).relu());
  }
}

describe('modules', () => {
  it('N-001 N-002 N-003 are callable with the types of forward, and register their fields', () => {
    class Two extends nn.Module {
      fc = new nn.Linear(3, 2);
      scale = new nn.Parameter(torch.ones(2));
      forward(x: torch.Tensor, times: number): [torch.Tensor, string] {
        return [this.fc(x).mul(this.scale).mul(times), 'done'];
      }
    }
    const model = new Two();
    const result = model(torch.ones(1, 3), 2);
    expectTypeOf(result).toEqualTypeOf<[torch.Tensor, string]>();
    // @ts-expect-error the second argument is a number
    expect(() => model(torch.ones(1, 3), 'x')).toThrow();
    expect(result[1]).toBe('done');
    expect([...model.namedParameters()].map(([name]) => name)).toEqual(['scale', 'fc.weight', 'fc.bias']);
    expect(model instanceof nn.Module && model instanceof Two).toBe(true);
    expect(model.fc.weight instanceof nn.Parameter && model.fc.weight instanceof torch.Tensor).toBe(true);
  });

  it('N-017 W-20 prints as PyTorch', () => {
    expect(String(new MyNet())).toBe(`MyNet(
  (fc1): Linear(in_features=784, out_features=256, bias=True)
  (fc2): Linear(in_features=256, out_features=128, bias=True)
  (fc3): Linear(in_features=128, out_features=10, bias=True)
)`);
  });

  it('W-21 prints activations as members; rows of softmax sum to 1', () => {
    class MyNet2 extends MyNet {
      relu = new nn.ReLU();
      softmax = new nn.Softmax(1);
      override forward(x: torch.Tensor): torch.Tensor {
        return this.softmax(this.fc3(this.relu(this.fc2(this.relu(this.fc1(x))))));
      }
    }
    const model = new MyNet2();
    expect(String(model)).toBe(`MyNet2(
  (fc1): Linear(in_features=784, out_features=256, bias=True)
  (fc2): Linear(in_features=256, out_features=128, bias=True)
  (fc3): Linear(in_features=128, out_features=10, bias=True)
  (relu): ReLU()
  (softmax): Softmax(dim=1)
)`);
    for (const row of model(torch.randn(4, 784)).sum(1).tolist() as number[]) expect(row).toBeCloseTo(1, 5);
  });

  it('N-019 N-021 W-22 Sequential by position', () => {
    const net = new nn.Sequential(
      new nn.Linear(784, 128),
      new nn.ReLU(),
      new nn.Linear(128, 64),
      new nn.ReLU(),
      new nn.Linear(64, 10),
    );
    expect(String(net)).toBe(`Sequential(
  (0): Linear(in_features=784, out_features=128, bias=True)
  (1): ReLU()
  (2): Linear(in_features=128, out_features=64, bias=True)
  (3): ReLU()
  (4): Linear(in_features=64, out_features=10, bias=True)
)`);
    expect(net.length).toBe(5);
    expect(net[1]).toBeInstanceOf(nn.ReLU);
    expect(Object.keys(net.stateDict())).toEqual(['0.weight', '0.bias', '2.weight', '2.bias', '4.weight', '4.bias']);
    expect(net(torch.ones(2, 784)).shape).toEqual([2, 10]);
    expect(() => new nn.Sequential(((x: torch.Tensor) => x) as never)).toThrow('is not a Module subclass');
  });

  it('N-020 W-23 Sequential by name', () => {
    const net = new nn.Sequential({
      fc_layer_1: new nn.Linear(784, 128),
      relu_layer_1: new nn.ReLU(),
      output: new nn.Linear(128, 10),
    });
    expect(String(net)).toBe(`Sequential(
  (fc_layer_1): Linear(in_features=784, out_features=128, bias=True)
  (relu_layer_1): ReLU()
  (output): Linear(in_features=128, out_features=10, bias=True)
)`);
    expect([...net.namedParameters()].map(([n]) => n)[0]).toBe('fc_layer_1.weight');
    expect(net[2]).toBeInstanceOf(nn.Linear);
    expect(net(torch.ones(2, 784)).shape).toEqual([2, 10]);
  });

  it("starts from PyTorch's numbers for a seed", () => {
    torch.manualSeed(0);
    const layer = new nn.Linear(4, 2);
    const flat = [
      ...(layer.weight.tolist() as number[][]).flat(),
      ...((layer.bias as torch.Tensor).tolist() as number[]),
    ];
    const expected = [
      -0.00374341, 0.2682218, -0.41152257, -0.36796951, -0.19257718, 0.13407868, -0.00990659, 0.39644474, -0.04437202,
      0.13230628,
    ];
    flat.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], 7);
    });
  });

  it('N-008 N-010 N-011 walk parameters, children and modules', () => {
    const model = new MyNet();
    expect([...model.parameters()].reduce((n, p) => n + p.numel(), 0)).toBe(784 * 256 + 256 + 256 * 128 + 128 + 1290);
    expect([...model.namedChildren()].map(([n]) => n)).toEqual(['fc1', 'fc2', 'fc3']);
    expect([...model.modules()].length).toBe(4);
    class Tied extends nn.Module {
      a = new nn.Linear(2, 2);
      b = this.a;
      forward(x: torch.Tensor): torch.Tensor {
        return this.b(this.a(x));
      }
    }
    expect([...new Tied().parameters()].length).toBe(2);
  });

  it('N-013 N-014 N-015 N-029 train, eval, zeroGrad, freezing', () => {
    const model = new MyNet();
    expect(model.eval().fc1.training).toBe(false);
    expect(model.train().fc1.training).toBe(true);
    model.fc1.weight.requiresGrad = false;
    model(torch.ones(1, 784)).sum().backward();
    expect(model.fc1.weight.grad).toBeNull();
    expect(model.fc2.weight.grad).not.toBeNull();
    model.zeroGrad();
    expect(model.fc2.weight.grad).toBeNull();
  });

  it('N-007 buffers are state but not parameters', () => {
    class Counter extends nn.Module {
      declare count: torch.Tensor;
      constructor() {
        super();
        this.registerBuffer('count', torch.zeros(1));
        this.registerBuffer('scratch', torch.zeros(1), { persistent: false });
      }
      forward(): torch.Tensor {
        return this.count.add_(1);
      }
    }
    const model = new Counter();
    model();
    expect(Object.keys(model.stateDict())).toEqual(['count']);
    expect([...model.buffers()].length).toBe(2);
    expect([...model.parameters()]).toEqual([]);
  });

  it("N-032 state dicts load with PyTorch's messages", () => {
    const a = new nn.Linear(3, 2);
    const b = new nn.Linear(3, 2);
    b.loadStateDict(a.stateDict());
    expect(b.weight.tolist()).toEqual(a.weight.tolist());
    expect(Object.keys(a.stateDict())).toEqual(['weight', 'bias']);
    expect(() => b.loadStateDict({ weight: torch.ones(2, 3), extra: torch.ones(1) })).toThrow(
      'Error(s) in loading state_dict for Linear:\n\tUnexpected key(s) in state_dict: "extra". \n\tMissing key(s) in state_dict: "bias". ',
    );
    expect(() => b.loadStateDict({ weight: torch.ones(2, 4), bias: torch.ones(2) })).toThrow(
      'size mismatch for weight: copying a param with shape torch.Size([2, 4]) from checkpoint, the shape in current model is torch.Size([2, 3]).',
    );
  });

  it('N-027 shape errors appear in forward; unknown options are named', () => {
    expect(() => new nn.Linear(4, 2)(torch.ones(3, 5))).toThrow(
      'mat1 and mat2 shapes cannot be multiplied (3x5 and 4x2)',
    );
    expect(() => new nn.Linear(4, 2, { bais: false } as never)).toThrow("did you mean 'bias'?");
  });

  it('N-025 hooks see and change what passes', () => {
    const layer = new nn.Linear(2, 2);
    const seen: string[] = [];
    layer.registerForwardPreHook((_, args) => {
      seen.push('before');
      return args;
    });
    const handle = layer.registerForwardHook((_, __, output) => {
      seen.push('after');
      return (output as torch.Tensor).mul(0).add(1);
    });
    expect(layer(torch.ones(1, 2)).tolist()).toEqual([[1, 1]]);
    handle.remove();
    layer(torch.ones(1, 2));
    expect(seen).toEqual(['before', 'after', 'before']);
  });

  it('LO-001 float targets for classes get the one-line fix', () => {
    const criterion = new nn.CrossEntropyLoss();
    expect(() => criterion(torch.ones(2, 3), torch.tensor([0, 1]))).toThrow("{ dtype: 'int64' }");
    expect(() => criterion(torch.ones(2, 3), torch.tensor([0, 10], { dtype: 'int64' }))).toThrow(
      'Target 10 is out of bounds.',
    );
  });
});
