"""Writes data.json.gz: what PyTorch's samplers, loaders, splits and the MNIST twin give, for the tests of data and vision."""

import base64
import gzip
import json
import subprocess
import sys
from pathlib import Path

import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
    random_split,
)

ROOT = Path(__file__).resolve().parents[2]


def draw64(generator):
    return str(torch.empty((), dtype=torch.int64).random_(generator=generator).item())


def loader(seed, n, batch_size, shuffle, drop_last, own, stop=None):
    """Three epochs, each cut off after `stop` batches, then a number from each generator."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1) if own else None
    batches = DataLoader(range(n), batch_size, shuffle, drop_last=drop_last, generator=generator)
    epochs = []
    for _ in range(3):
        epoch = []
        for batch in batches:
            epoch.append(batch.tolist())
            if len(epoch) == stop:
                break
        epochs.append(epoch)
    return {
        "seed": seed,
        "n": n,
        "batchSize": batch_size,
        "shuffle": shuffle,
        "dropLast": drop_last,
        "own": own,
        "stop": stop,
        "length": len(batches),
        "epochs": epochs,
        "after": draw64(torch.default_generator),
        "afterOwn": draw64(generator) if own else None,
    }


SAMPLERS = {
    "sequential": lambda g: SequentialSampler(range(7)),
    "random": lambda g: RandomSampler(range(20), generator=g),
    "replacement": lambda g: RandomSampler(range(20), replacement=True, generator=g),
    "replacement70": lambda g: RandomSampler(range(20), replacement=True, num_samples=70, generator=g),
    "few": lambda g: RandomSampler(range(20), num_samples=6, generator=g),
    "many": lambda g: RandomSampler(range(6), num_samples=20, generator=g),
    "subset": lambda g: SubsetRandomSampler([3, 1, 4, 15, 9, 26], generator=g),
    "weighted": lambda g: WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 12, generator=g),
    "weightedOnce": lambda g: WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 5, replacement=False, generator=g),
    "batch": lambda g: BatchSampler(RandomSampler(range(10), generator=g), 3, False),
    "batchDrop": lambda g: BatchSampler(RandomSampler(range(10), generator=g), 3, True),
}


def sampler(name, own):
    torch.manual_seed(5)
    generator = torch.Generator().manual_seed(9) if own else None
    made = SAMPLERS[name](generator)
    epochs = [list(made) for _ in range(2)]
    return {"name": name, "own": own, "length": len(made), "epochs": epochs, "after": draw64(generator or torch.default_generator)}


def split(n, lengths, own):
    torch.manual_seed(42)
    generator = torch.Generator().manual_seed(7) if own else torch.default_generator
    parts = random_split(range(n), lengths, generator=generator)
    return {"n": n, "lengths": lengths, "own": own, "indices": [list(part.indices) for part in parts], "after": draw64(generator)}


def bits(tensor):
    return base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()


def normalized(mean, std, dtype):
    """Every byte through ToTensor and Normalize, as torchvision computes them; one row for each channel."""
    image = torch.arange(256, dtype=torch.uint8).view(1, 16, 16).expand(len(mean), 16, 16).to(dtype).div(255)
    mean, std = (torch.as_tensor(v, dtype=dtype).view(-1, 1, 1) for v in (mean, std))
    return {"plain": bits(image), "normalized": bits(image.sub(mean).div(std))}


def mnist(*options):
    command = [sys.executable, str(ROOT / "examples/mnist/main.py"), *options]
    return {"options": options, "lines": subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()}


LOADERS = [
    (42, 10, 4, True, False, False),
    (0, 10, 4, False, False, False),
    (1, 11, 3, True, True, False),
    (2, 12, 4, True, False, True),
    (3, 13, 4, True, True, True),
    (4, 9, 2, True, False, True, 2),
    (5, 9, 1, True, False, False, 3),
    (6, 9, 4, False, True, True),
]
SPLITS = [
    (10, [7, 3], False),
    (30, [0.3, 0.3, 0.4], True),
    (10, [0.5, 0.5], False),
    (11, [0.1] * 10, True),
    (7, [1], False),
    (3, [0.2, 0.8], True),
]

golden = {
    "torch": torch.__version__,
    "loaders": [loader(*args) for args in LOADERS],
    "samplers": [sampler(name, own) for name in SAMPLERS for own in (False, True)],
    "splits": [split(*args) for args in SPLITS],
    "pixels": {
        "mnist": normalized([0.1307], [0.3081], torch.float32),
        "imagenet": normalized([0.485, 0.456, 0.406], [0.229, 0.224, 0.225], torch.float32),
        "mnist64": normalized([0.1307], [0.3081], torch.float64),
    },
    "mnist": [mnist("--epochs", "2", "--limit", "2000", "--seed", seed) for seed in ("0", "1")],
}
path = Path(__file__).with_name("data.json.gz")
path.write_bytes(gzip.compress(json.dumps(golden).encode(), 9, mtime=0))
print(path.name, path.stat().st_size, "bytes")
