import * as torch from 'typetorch';
import { describe, expect, it } from 'vitest';

const { nn, optim } = torch;
const MiB = 2 ** 20;

class SimpleNN extends nn.Module {
  flatten = new nn.Flatten();
  fc1 = new nn.Linear(28 * 28, 128);
  relu = new nn.ReLU();
  fc2 = new nn.Linear(128, 10);
  forward(x: torch.Tensor): torch.Tensor {
    return this.fc2(this.relu(this.fc1(this.flatten(x))));
  }
}

describe('memory frees itself', () => {
  it('stays flat over 20,000 plain training steps, and kept tensors keep their values', { timeout: 240_000 }, () => {
    torch.manualSeed(0);
    const model = new SimpleNN();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const criterion = new nn.CrossEntropyLoss();
    const images = torch.randn(256, 1, 28, 28);
    const labels = torch.randint(0, 10, [256]);
    const kept: {
      loss: torch.Tensor;
      value: number;
      batch: torch.Tensor;
      sum: number;
      grad: torch.Tensor;
      g: number;
    }[] = [];
    const seen: { reserved: number; rss: number }[] = [];
    for (let step = 0; step < 20_000; step++) {
      const from = (step * 64) % 256;
      const batch = images.narrow(0, from, 64).clone();
      optimizer.zeroGrad();
      const loss = criterion(model(batch), labels.narrow(0, from, 64));
      loss.backward();
      if (step % 2000 === 7) {
        const grad = model.fc1.weight.grad as torch.Tensor;
        kept.push({ loss, value: loss.item(), batch, sum: batch.sum().item(), grad, g: grad.sum().item() });
      }
      optimizer.step();
      if (step >= 2000 && step % 1000 === 0) {
        seen.push({ reserved: torch.memory().reserved, rss: process.memoryUsage().rss });
      }
    }
    // A step makes 0.9 MiB, so 18,000 leaking ones would reserve 16 GiB.
    const reserved = seen.map((s) => s.reserved / MiB);
    expect(Math.max(...reserved) - reserved[0]).toBeLessThanOrEqual(32);
    const rss = seen.map((s) => s.rss / MiB);
    expect(Math.max(...rss) - rss[0]).toBeLessThan(48);
    for (const k of kept) {
      expect(k.loss.item()).toBe(k.value);
      expect(k.batch.sum().item()).toBe(k.sum);
      expect(k.grad.sum().item()).toBe(k.g);
    }
  });

  it('stays flat where forward runs without backward', () => {
    torch.manualSeed(1);
    const model = new SimpleNN();
    const x = torch.randn(64, 784);
    const criterion = new nn.CrossEntropyLoss();
    const labels = torch.randint(0, 10, [64]);
    for (let i = 0; i < 500; i++) criterion(model(x), labels);
    const before = torch.memory().reserved;
    for (let i = 0; i < 3000; i++) criterion(model(x), labels);
    expect(torch.memory().reserved - before).toBeLessThanOrEqual(32 * MiB);
  });

  it('reuses the gradients of zeroGrad at once, but not those that the program saw', () => {
    const w = torch.ones([1000, 100], { requiresGrad: true });
    const optimizer = new optim.SGD([w], { lr: 0 });
    w.mul(2).sum().backward();
    const seen = w.grad as torch.Tensor;
    optimizer.zeroGrad();
    expect(w.grad).toBeNull();
    w.mul(3).sum().backward();
    expect(seen.sum().item()).toBe(200_000);
    expect((w.grad as torch.Tensor).sum().item()).toBe(300_000);
  });

  it('gives memory back early with dispose, using and tidy', () => {
    torch.collectGarbage();
    const before = torch.memory().live;
    const big = torch.zeros(1024, 1024);
    expect(torch.memory().live - before).toBeGreaterThanOrEqual(4 * MiB);
    big.dispose();
    expect(torch.memory().live - before).toBeLessThan(1 * MiB);
    expect(() => big.sum()).toThrow('disposed');
    const kept = torch.tidy(() => {
      const a = torch.ones(1024, 1024);
      return a.mul(2).sum(0);
    });
    expect(torch.memory().live - before).toBeLessThan(1 * MiB);
    expect(kept.sum().item()).toBe(2 * 1024 * 1024);
  });

  it('keeps what hooks and custom code hold, though it was made inside backward', () => {
    const grads: torch.Tensor[] = [];
    const x = torch.ones([600, 600], { requiresGrad: true });
    const y = x.mul(2);
    y.registerHook((g) => {
      grads.push(g, g.mul(3));
    });
    y.mul(y).sum().backward();
    for (let i = 0; i < 50; i++) x.detach().mul(i);
    expect(grads.map((g) => g.sum().item())).toEqual([4 * 360_000, 12 * 360_000]);
  });
});
