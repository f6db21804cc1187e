"""main.py THREADS MNIST_FOLDER: the workloads in PyTorch, timed as measure.mjs does.

Reads workloads on stdin and prints results, as lines of JSON; the first line printed says what runs here.
"""
import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(int(sys.argv[1]))
MNIST = sys.argv[2]


def matmul(n):
    a, b = torch.randn(n, n), torch.randn(n, n)
    return lambda: a @ b


def add(size, **_):
    a, b = torch.randn(size), torch.randn(size)
    return lambda: a + b


def add_with_gradient(size):
    a, b = torch.randn(size, requires_grad=True), torch.randn(size, requires_grad=True)
    return lambda: a + b


def chain(length, size):
    one = torch.ones(size)

    def run():
        y = torch.ones(size, requires_grad=True)
        for _ in range(length):
            y = y + one
        y.sum().backward()
    return run


def unary(fn, size):
    return getattr(torch.randn(size), fn)


def softmax(shape):
    x = torch.randn(shape)
    return lambda: x.softmax(1)


def layer_norm(shape):
    layer, x = nn.LayerNorm(shape[1]).requires_grad_(False), torch.randn(shape)
    return lambda: layer(x)


def conv(x, w, padding):
    layer = nn.Conv2d(w[1], w[0], w[2], padding=padding, bias=False).requires_grad_(False)
    images = torch.randn(x)
    return lambda: layer(images)


def step_of(model, loss):
    """A training step: `loss` computes it, SGD updates the parameters of `model`."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value.item()
    return step


def classifier_step(model, x, classes=10):
    criterion = nn.CrossEntropyLoss()
    y = torch.randint(0, classes, (x.shape[0],))
    return step_of(model, lambda: criterion(model(x), y))


def mlp(sizes):
    return nn.Sequential(nn.Flatten(), nn.Linear(sizes[0], sizes[1]), nn.ReLU(), nn.Linear(sizes[1], sizes[2]))


def mlp_step(batch, sizes):
    return classifier_step(mlp(sizes), torch.randn(batch, 1, 28, 28))


def lenet_step(batch):
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
    return classifier_step(model, torch.randn(batch, 1, 28, 28))


class SequenceClassifier(nn.Module):
    """LSTM over [batch, length, input]; the last output is classified."""

    def __init__(self, input, hidden):
        super().__init__()
        self.lstm = nn.LSTM(input, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 10)

    def forward(self, x):
        output, _ = self.lstm(x)
        return self.fc(output[:, -1])


def lstm_step(batch, length, input, hidden):
    return classifier_step(SequenceClassifier(input, hidden), torch.randn(batch, length, input))


def transformer_step(batch, length, width, heads, feedForward):
    model = nn.TransformerEncoderLayer(width, heads, dim_feedforward=feedForward, dropout=0, batch_first=True)
    x, target = torch.randn(batch, length, width), torch.randn(batch, length, width)
    criterion = nn.MSELoss()
    return step_of(model, lambda: criterion(model(x), target))


class Block(nn.Module):
    def __init__(self, input, output, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(input, output, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(output)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(output, output, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(output)
        self.downsample = nn.Identity() if stride == 1 and input == output else nn.Sequential(
            nn.Conv2d(input, output, 1, stride=stride, bias=False), nn.BatchNorm2d(output))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + self.downsample(x))


class GlobalAverage(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def resnet_step(batch, size):
    widths = [64, 128, 256, 512]
    blocks = []
    for i, width in enumerate(widths):
        blocks += [Block(widths[max(i - 1, 0)], width, 1 if i == 0 else 2), Block(width, width, 1)]
    model = nn.Sequential(
        nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1), *blocks, GlobalAverage(), nn.Linear(512, 10),
    )
    return classifier_step(model, torch.randn(batch, 3, size, size))


def mnist_epoch(batch):
    """Images normalised beforehand in a TensorDataset: the fastest that stock PyTorch offers."""
    images = np.fromfile(f"{MNIST}/train-images-idx3-ubyte", dtype=np.uint8)[16:].reshape(-1, 1, 28, 28)
    labels = np.fromfile(f"{MNIST}/train-labels-idx1-ubyte", dtype=np.uint8)[8:].astype(np.int64)
    images = torch.from_numpy(images.copy()).float().div(255).sub(0.1307).div(0.3081)
    loader = DataLoader(TensorDataset(images, torch.from_numpy(labels)), batch_size=batch, shuffle=True)
    model = mlp([784, 128, 10])
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


WORKLOADS = {
    "matmul": matmul, "add": add, "addWithGradient": add_with_gradient, "chain": chain, "unary": unary,
    "softmax": softmax, "layerNorm": layer_norm, "conv": conv, "mlpStep": mlp_step, "lenetStep": lenet_step,
    "lstmStep": lstm_step, "transformerStep": transformer_step, "resnetStep": resnet_step, "mnistEpoch": mnist_epoch,
}


def measure(run, plan):
    """Median, minimum and maximum of the rounds, in microseconds per call."""
    def timed(count):
        start = time.perf_counter()
        for _ in range(count):
            run()
        return (time.perf_counter() - start) * 1000 / count

    first = timed(1)
    if first > plan["firstCounts"]:
        return summary([first])
    once = timed(1)
    if once > plan["once"]:
        tries = [once, timed(1)]
        once = min(tries)
        if once > plan["once"]:
            return summary(tries)
    count = 1
    start = time.perf_counter()
    while True:
        once = max(timed(count), 1e-6)
        count = max(1, min(count * 8, int(plan["round"] / once)))
        if (time.perf_counter() - start) * 1000 >= plan["warmUp"]:
            break
    return summary([timed(count) for _ in range(plan["slowRounds" if once > plan["slow"] else "rounds"])])


def summary(milliseconds):
    us = sorted(ms * 1000 for ms in milliseconds)
    return {"median": us[(len(us) - 1) // 2], "min": us[0], "max": us[-1], "rounds": len(us)}


def measure_workload(workload, plan):
    kind = workload["kind"]
    if kind not in WORKLOADS:
        return {"missing": f'no program for "{kind}"'}
    try:
        sizes = {key: value for key, value in workload.items() if key not in ("name", "kind")}
        return measure(WORKLOADS[kind](**sizes), plan)
    except Exception as error:
        return {"failed": (str(error) or type(error).__name__).splitlines()[0]}


print(json.dumps({"version": torch.__version__, "backend": "CPU", "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(measure_workload(request["workload"], request["plan"])), flush=True)
