"""Writes random.json.gz: what PyTorch's CPU generator gives, for test/random.test.ts.

The name is not random.py, which would hide Python's own module from the scripts here. Run on a processor where PyTorch
uses its generator for bernoulli_ and exponential_ too: on Intel ones it hands a seed to MKL for these.
"""

import base64
import gzip
import hashlib
import json
from pathlib import Path

import numpy
import torch

SIZES = [0, 1, 5, 15, 16, 17, 20, 100, 1000]
DTYPES = {name: getattr(torch, name) for name in ["float32", "float64", "int64", "int32", "uint8", "bool"]}
FLOATS = ["float32", "float64"]


def encode(tensor):
    return base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()


def apply(g, op, dtype, n, args):
    out = torch.empty(n, dtype=DTYPES[dtype])
    if op == "rand":
        return torch.rand(n, dtype=DTYPES[dtype], generator=g)
    if op == "randn":
        return torch.randn(n, dtype=DTYPES[dtype], generator=g)
    if op == "randperm":
        return torch.randperm(n, dtype=DTYPES[dtype], generator=g)
    if op == "random_":
        return out.random_(*[None if a is None else int(a) for a in args], generator=g)
    if op == "normalSerial_":
        return torch.empty(2 * n, dtype=DTYPES[dtype])[::2].normal_(*args, generator=g)
    if op == "bernoulliTensor_":
        return out.bernoulli_(torch.arange(n, dtype=DTYPES[args[0]]) / max(n, 1), generator=g)
    if op == "multinomial":
        rows, categories, samples, replacement = args
        return torch.multinomial(weights(dtype, rows, categories), samples, replacement, generator=g)
    name = {"logNormal_": "log_normal_"}.get(op, op)
    return getattr(out, name)(*args, generator=g)


def weights(dtype, rows, categories):
    i = torch.arange(rows * categories, dtype=torch.int64)
    return ((i * 37) % 23 + 1).to(DTYPES[dtype]).reshape(rows, categories)


def draw64(g):
    return str(torch.empty((), dtype=torch.int64).random_(generator=g).item())


def case(seed, op, dtype, n, args=()):
    g = torch.Generator().manual_seed(seed)
    data = encode(apply(g, op, dtype, n, args))
    return {"seed": seed, "op": op, "dtype": dtype, "n": n, "args": list(args), "data": data, "after": draw64(g)}


def cases():
    for dtype in FLOATS:
        for n in SIZES:
            yield case(42, "rand", dtype, n)
            yield case(43 + n, "randn", dtype, n)
            small = min(n, 100)
            yield case(n, "uniform_", dtype, n, [-0.0371, 0.0371])
            yield case(n, "normal_", dtype, small, [0.3, 1.7])
            yield case(n, "normalSerial_", dtype, small, [-0.25, 0.02])
            yield case(n, "exponential_", dtype, small, [1.5])
            yield case(n, "cauchy_", dtype, small, [0.5, 2.0])
            yield case(n, "logNormal_", dtype, small, [0.1, 0.7])
        yield case(7, "uniform_", dtype, 50, [2.5, 2.5])
        yield case(7, "uniform_", dtype, 50, [-1e30, 1e30])
        yield case(7, "uniform_", dtype, 50, [0.1, 0.1000001])
        for replacement in [False, True]:
            for rows, categories, samples in [(1, 10, 1), (1, 10, 7), (3, 40, 1), (3, 40, 12), (2, 1000, 100)]:
                yield case(samples, "multinomial", dtype, rows * samples, [rows, categories, samples, replacement])
    for dtype in DTYPES:
        for n in [0, 1, 16, 17, 100]:
            yield case(n, "random_", dtype, n)
            yield case(n, "bernoulli_", dtype, n, [0.3])
            yield case(n, "bernoulliTensor_", dtype, n, ["float32"])
            yield case(n, "bernoulliTensor_", dtype, n, ["float64"])
            if dtype != "bool":
                yield case(n, "geometric_", dtype, n, [0.15])
                yield case(n, "randperm", dtype, n)
        yield case(3, "random_", dtype, 40, [0, 2 if dtype == "bool" else 10])
        yield case(4, "random_", dtype, 40, [1, None])
    yield case(5, "random_", "uint8", 40, [17, 256])
    yield case(5, "random_", "int32", 40, [-(2**31), 2**31 - 1])
    for dtype in ["float32", "float64", "int64", "int32"]:
        yield case(5, "random_", dtype, 40, [-5, 12])
        yield case(5, "random_", dtype, 40, [0, 2**28 - 1])
        yield case(5, "random_", dtype, 40, [0, 2**28])
        yield case(5, "random_", dtype, 40, [-7, None])
    for dtype in ["float32", "float64", "int64"]:
        wide = [(-(2**37), 2**37), (0, 2**37), (2**60, 2**60 + 12), (-(2**62), 2**62 + 7), (-(2**63), None)]
        for bounds in [(0, 2**32), *wide]:
            if dtype == "int64" or bounds[0] != 2**60:
                yield case(6, "random_", dtype, 40, [None if b is None else str(b) for b in bounds])
    yield case(6, "random_", "int64", 40, [str(-(2**63)), str(2**63 - 1)])
    for bounds in [(2**24, 2**24 + 40), (2**24 + 1, 2**24 + 40), (-(2**24) - 9, -(2**24) + 3), (2**25 - 1, 2**25 + 13)]:
        yield case(6, "random_", "float32", 40, bounds)
    yield case(6, "random_", "float64", 40, [str(2**53 + 1), str(2**53 + 31)])
    yield case(8, "randperm", "int64", 3000)
    for seed in [0, 1, 2**32 - 1, 2**32, 2**63 + 11, 2**64 - 1, -1, -(2**63)]:
        initial = torch.Generator().manual_seed(seed).initial_seed()
        yield case(seed, "rand", "float32", 4) | {"seed": str(seed), "initial": str(initial)}


SEQUENCE = [
    ("randn", "float32", 5, []),
    ("rand", "float32", 3, []),
    ("random_", "int64", 3, []),
    ("randn", "float64", 5, []),
    ("randn", "float32", 40, []),
    ("logNormal_", "float32", 3, [0.0, 1.0]),
    ("rand", "float64", 311, []),
    ("randn", "float32", 1, []),
    ("bernoulli_", "float32", 9, [0.5]),
    ("randperm", "int64", 20, []),
    ("normal_", "float64", 17, [1.0, 2.0]),
    ("random_", "int64", 7, [0, 10]),
    ("random_", "int64", 7, [0, 2**30]),
    ("normal_", "float64", 3, [1.0, 2.0]),
    ("rand", "float32", 624, []),
    ("exponential_", "float64", 4, [1.0]),
]


# Long fills are kept as digests: only those that match to the last bit.
LONG = [
    ("rand", "float32", 100352, []),
    ("rand", "float64", 100352, []),
    ("uniform_", "float32", 1000003, [-0.0371, 0.0371]),
    ("uniform_", "float64", 200003, [-0.0371, 0.0371]),
    ("randn", "float32", 1000003, []),
    ("normal_", "float32", 200000, [0.3, 1.7]),
    ("randperm", "int64", 60000, []),
    ("bernoulli_", "float32", 100352, [0.3]),
    ("random_", "int64", 100352, [0, 10]),
    ("random_", "float64", 100352, []),
]


def digests():
    for seed, (op, dtype, n, args) in enumerate(LONG):
        g = torch.Generator().manual_seed(seed)
        digest = hashlib.sha256(apply(g, op, dtype, n, args).numpy().tobytes()).hexdigest()
        yield {"seed": seed, "op": op, "dtype": dtype, "n": n, "args": args, "data": digest, "after": draw64(g)}


def sequence(seed):
    g = torch.Generator().manual_seed(seed)
    start = base64.b64encode(g.get_state().numpy().tobytes()).decode()
    steps = []
    for op, dtype, n, args in SEQUENCE:
        data = encode(apply(g, op, dtype, n, args))
        state = base64.b64encode(g.get_state().numpy().tobytes()).decode()
        steps.append({"op": op, "dtype": dtype, "n": n, "args": args, "data": data, "state": state})
    return {"seed": seed, "start": start, "steps": steps}


def loader():
    torch.manual_seed(42)
    batches = torch.utils.data.DataLoader(range(10), batch_size=4, shuffle=True)
    epochs = [[batch.tolist() for batch in batches] for _ in range(2)]
    torch.manual_seed(42)
    seeds = [draw64(torch.default_generator) for _ in range(4)]
    return {"seed": 42, "epochs": epochs, "seeds": seeds}


def known():
    def with_seed(fn):
        torch.manual_seed(42)
        return fn().tolist()

    return {
        "rand": with_seed(lambda: torch.rand(5)),
        "randn": with_seed(lambda: torch.randn(5)),
        "randnLong": with_seed(lambda: torch.randn(20)),
        "randperm": with_seed(lambda: torch.randperm(10)),
        "randint": with_seed(lambda: torch.randint(0, 10, [8])),
        "bernoulli": with_seed(lambda: torch.empty(12).bernoulli_(0.5)),
    }


golden = {
    "torch": torch.__version__,
    "numpy": numpy.__version__,
    "capability": torch.backends.cpu.get_cpu_capability(),
    "seed": 42,
    "known": known(),
    "loader": loader(),
    "cases": list(cases()),
    "digests": list(digests()),
    "sequence": sequence(42),
}
path = Path(__file__).with_name("random.json.gz")
path.write_bytes(gzip.compress(json.dumps(golden).encode(), 9, mtime=0))
print(path.name, path.stat().st_size, "bytes,", len(golden["cases"]), "cases")
