"""Writes format.json.gz: what PyTorch 2.13 prints for many tensors, modules and numbers (seed 20)."""

import gzip
import json
import math
import pathlib
import random
import struct

import torch
from torch import nn

SEED = 20
torch.manual_seed(SEED)
random.seed(SEED)
cases = []


def plain(value):
    """JSON has no nan or inf, and JavaScript's numbers stop at 2**53 for integers."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    return value


def shown(size, edge, cut):
    return [*range(edge), *range(size - edge, size)] if cut and size > 2 * edge else range(size)


def add(tensor, group, default="float32", **options):
    torch.set_default_dtype(getattr(torch, default))
    torch.set_printoptions(profile="default")
    if options:
        torch.set_printoptions(**options)
    text = repr(tensor)
    in_force = torch._tensor_str.PRINT_OPTS
    cut = tensor.numel() > in_force.threshold
    flat = tensor.detach()
    case = {"group": group, "shape": list(tensor.shape), "dtype": str(tensor.dtype)[6:], "text": text}
    reads = {}
    if tensor.device.type != "meta":

        def walk(view, position, dim):
            if dim == tensor.dim():
                reads[position] = plain(view.item())
                return
            for i in shown(tensor.shape[dim], in_force.edgeitems, cut):
                walk(view[i], position + i * tensor.stride(dim), dim + 1)

        if tensor.numel():
            walk(flat, tensor.storage_offset(), 0)
    positions = list(reads)
    if positions == list(range(len(positions))):
        case["data"] = list(reads.values())
    else:
        case["at"] = [[p - q for p, q in zip(positions, [0, *positions])], list(reads.values())]
    if not tensor.is_contiguous() or tensor.storage_offset():
        case["strides"] = list(tensor.stride())
        case["offset"] = tensor.storage_offset()
    if tensor.requires_grad:
        case["requiresGrad"] = True
    if tensor.grad_fn is not None:
        case["gradFn"] = type(tensor.grad_fn).__name__
    if isinstance(tensor, nn.Parameter):
        case["parameter"] = True
    if tensor.device.type != "cpu":
        case["device"] = str(tensor.device)
    if default != "float32":
        case["default"] = default
    if options:
        case["options"] = {
            "sciMode" if k == "sci_mode" else k: "inf" if v == math.inf else v for k, v in options.items()
        }
    cases.append(case)
    torch.set_default_dtype(torch.float32)


SHAPES = [(), (1,), (2,), (7,), (31,), (1, 1), (2, 3), (4, 12), (3, 1, 2), (2, 2, 3), (2, 1, 2, 3), (1, 2, 2, 9)]
FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]
SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0]


def mixed(shape, dtype, values, share=0.4):
    out = torch.randn(shape, dtype=torch.float64)
    flat = out.view(-1)
    for i in range(flat.numel()):
        if random.random() < share:
            flat[i] = random.choice(values)
    return out.to(dtype)


for dtype in FLOATS:
    for shape in SHAPES:
        add(torch.randn(shape).to(dtype), "normal")
        add(torch.randint(-50, 50, shape).to(dtype), "whole floats")
        add(mixed(shape, dtype, SPECIAL), "special")
        scale = 10.0 ** random.randint(-8, 12 if dtype != torch.float16 else 4)
        add((torch.randn(shape, dtype=torch.float64) * scale).to(dtype), "scaled")
        add(mixed(shape, dtype, [1e-8, 1e12, 123456.0, -3e-5, 0.0]), "wide range")
for dtype in INTS:
    for shape in SHAPES:
        if dtype == torch.bool:
            add(torch.rand(shape) > 0.5, "bool")
            continue
        info = torch.iinfo(dtype)
        add(torch.randint(0, 10, shape).to(dtype), "small ints")
        add(torch.randint(max(info.min, -(10**9)), min(info.max, 10**9), shape).to(dtype), "ints")
add(torch.tensor([2**63 - 1, -(2**63), 2**53 + 1, 0]), "ints")

# Magnitudes from 1e-8 to 1e12, alone and in steps on either side of the limits of scientific notation.
for dtype in (torch.float32, torch.float64):
    for power in range(-8, 13):
        add(torch.tensor(10.0**power, dtype=dtype), "powers")
        add(torch.tensor([1.5, -2.25, 3.0], dtype=dtype) * 10.0**power, "powers")
        add(torch.tensor([0.0, math.nan, 7.0], dtype=dtype) * 10.0**power, "powers")
    for pair in [(1, 1000), (1, 1001), (0.001, 1.0), (0.00099, 1.0), (1e-4, 0.05), (0.99e-4, 0.05), (1e8, 1e6)]:
        add(torch.tensor(pair, dtype=dtype), "limits")
    for one in (1e8, 100000008.0, 1e-4, 99999999.5, 0.00010001, 5e-324, 1.7e308, 1e23):
        add(torch.tensor([one], dtype=dtype), "limits")
    for values in (
        [0.0],
        [-0.0],
        [-0.0, 1.0],
        [-0.0, 0.5],
        [math.nan],
        [math.inf, -math.inf],
        [math.nan, 1.0],
        [math.nan, -1.5, math.inf],
        [math.inf, 1e10],
        [-0.0, 1e-7, math.nan],
        [0.03125, 0.09375, 2.5],
        [0.5, 1.5, 2.5],
        [0.99995, 9.99995],
        [0.00005, 1.0],
        [9999.99999],
        [-9.99999],
    ):
        add(torch.tensor(values, dtype=dtype), "edge values")

# Empty tensors.
for shape in [(0,), (2, 0), (0, 3), (2, 0, 3), (0, 0, 0)]:
    for dtype in (torch.float32, torch.float64, torch.int64, torch.int32, torch.bool, torch.float16):
        add(torch.empty(shape, dtype=dtype), "empty")
    add(torch.empty(shape, dtype=torch.float64), "empty", default="float64")
    add(torch.empty(shape, requires_grad=True), "empty")

# Summaries.
BIG = [(1001,), (5000,), (1000, 1000), (7, 200), (2, 600), (20, 20, 20), (100, 2, 7), (3, 5, 8, 9)]
for shape in BIG:
    add(torch.randn(shape).bfloat16(), "summary")
    add((torch.randn(shape) * 1e5).round().double() / 64, "summary")
    add(torch.randint(-1000, 1000, shape), "summary")
    add(torch.rand(shape) > 0.5, "summary")
    add(torch.arange(math.prod(shape), dtype=torch.float32).reshape(shape), "summary")
    for edge in (0, 1, 2, 5 if len(shape) < 3 else 4):
        add(torch.randn(shape).half(), "summary options", edgeitems=edge, linewidth=random.choice([40, 80, 120]))
add(torch.randn(7, 11, 5, 13).permute(2, 0, 3, 1), "summary")
add(torch.randn(1, 1).expand(2000, 3000), "summary")
add(torch.randn(60, 40)[3:, 5::2].t(), "summary")

# Options.
for _ in range(60):
    shape = random.choice(SHAPES + [(30,), (5, 5), (3, 40)])
    options = {}
    for name, choice in {
        "precision": [0, 1, 2, 6, 8, 20],
        "threshold": [0, 3, 10, 1000, math.inf],
        "edgeitems": [0, 1, 2, 3],
        "linewidth": [20, 40, 60, 80, 120],
        "sci_mode": [True, False, None],
        "profile": ["default", "short", "full"],
    }.items():
        if random.random() < 0.5:
            options[name] = random.choice(choice)
    kind = random.choice(["normal", "whole", "special", "int", "wide"])
    tensor = {
        "normal": lambda: torch.randn(shape),
        "whole": lambda: torch.randint(-9999, 9999, shape).double(),
        "special": lambda: mixed(shape, torch.float32, SPECIAL),
        "int": lambda: torch.randint(-9999, 9999, shape),
        "wide": lambda: mixed(shape, torch.float64, [1e-8, 1e12, 1e25, 2.5, 0.125]),
    }[kind]()
    add(tensor, "options", **options)
for sci in (True, False):
    for values in ([0.0], [1.0, 2.0], [1e25, 1.0], [1e25, 0.5], [1e-12, 1.0], [math.nan, 1.5], [math.nan], [2.5]):
        add(torch.tensor(values, dtype=torch.float64), "sci mode", sci_mode=sci)
        add(torch.tensor(values), "sci mode", sci_mode=sci, precision=0)
add(torch.arange(1500), "profile full", profile="full", linewidth=200)

# Suffixes, at every length of the last line that decides about the break.
for columns in range(1, 13):
    base = torch.rand(2, columns, requires_grad=True)
    for tensor in (base, base.double().detach().requires_grad_(), base + 1, base.double() * 2, base.half()):
        add(tensor, "suffixes")
for linewidth in range(20, 100, 3):
    add(torch.ones(3, dtype=torch.float64, requires_grad=True).exp(), "suffixes", linewidth=linewidth)
    add(torch.ones(3, 2, dtype=torch.int32), "suffixes", linewidth=linewidth)
a = torch.rand(3, 4, requires_grad=True)
for tensor in (
    a.sum(),
    a.mean(),
    a @ a.t(),
    a.t(),
    a[1],
    a.view(12),
    a.relu(),
    a.log_softmax(1),
    a.unsqueeze(0),
    a.max(),
    nn.functional.cross_entropy(a, torch.tensor([0, 1, 2])),
    nn.functional.linear(a, torch.rand(2, 4)),
    torch.rand(40, 50, requires_grad=True) - 1,
):
    add(tensor, "grad_fn")
for dtype in (torch.float32, torch.float64, torch.int64, torch.bool):
    for default in ("float64", "float32", "float16"):
        add(torch.ones(2, 2).to(dtype), "default dtype", default=default)
for shape in [(), (3,), (0,), (2, 3)]:
    for dtype in (torch.float32, torch.int64):
        add(torch.empty(shape, dtype=dtype, device="meta"), "meta")
for shape in [(3,), (2, 3), (2, 2, 2), (0,), (60, 60), ()]:
    add(nn.Parameter(torch.randn(shape)), "parameter")
    add(nn.Parameter(torch.randn(shape).double(), requires_grad=False), "parameter")

# Numbers: [x, decimals, '%f', '%e', repr].
numbers = []
ties = [0.5, 1.5, 2.5, 0.125, 0.375, 0.03125, 0.09375, 9.5, 12.5, 125.0, 25.0, 8.5, 99.5, 1e22 + 2**21, 65.0, 1.25e16]
sizes = [0.0, 1e21, 1e22, 1e23, 1.5e300, 1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 9.5e-5, 1e-5, 1e16]
sizes += [1e15, 123456789012345680.0, 0.1, 0.0001, 0.00012, 9999999999999998.0, 1e100, 999999999999999.9, 1.005]
for x in ties + sizes:
    for decimals in (0, 1, 2, 3, 4, 8, 17):
        numbers.append([random.choice([x, -x]), decimals])
for decimals in (99, 100, 101, 120):
    numbers += [[0.1, decimals], [5e-324, decimals], [1e23, decimals], [2.5, decimals]]
while len(numbers) < 500:
    (x,) = struct.unpack("d", random.randbytes(8))
    if math.isfinite(x):
        if random.random() < 0.7:
            x = math.ldexp(x, -math.frexp(x)[1] + random.randint(-40, 40))
        numbers.append([x, random.randint(0, 17)])
numbers = [[x, d, f"{x:.{d}f}", f"{x:.{d}e}", repr(x)] for x, d in numbers]

strings = ["", "zeros", "it's", 'a "b"', "it's \"b\"", "back\\slash", "a\nb\tc\rd", "\x00\x7f\x85\xa0\xad", "é漢字"]
strings += ["\u2028\u200b", "😀", "\U000e0001"]
strings = [[s, repr(s)] for s in strings]


class Described(nn.Module):
    def __init__(self, text, **children):
        super().__init__()
        self.text = text
        for name, child in children.items():
            self.add_module(name, child)

    def extra_repr(self):
        return self.text


def tree(module):
    children = [[name, tree(child)] for name, child in module._modules.items()]
    return {
        "name": module._get_name(),
        "extra": module.extra_repr(),
        "children": children,
        "list": isinstance(module, nn.ModuleList),
        "text": repr(module),
    }


def mlp(n):
    return nn.Sequential(nn.Linear(n, n), nn.ReLU(), nn.Linear(n, 2, bias=False))


modules = [
    nn.ReLU(),
    nn.Linear(3, 4),
    nn.Sequential(),
    mlp(3),
    nn.Sequential(mlp(2), nn.Dropout(0.5), nn.Conv2d(1, 8, 3, padding=1)),
    nn.ModuleList(),
    nn.ModuleList([nn.Linear(2, 2)]),
    nn.ModuleList([nn.Linear(2, 2) for _ in range(4)]),
    nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.ReLU(), nn.ReLU()]),
    nn.ModuleList([mlp(2), mlp(2), nn.ModuleList([mlp(3), mlp(3)])]),
    nn.ModuleDict({"a": mlp(2), "b": nn.Tanh()}),
    nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 3, enable_nested_tensor=False),
    nn.LSTM(3, 4, 2, batch_first=True),
    Described("one"),
    Described("one\ntwo"),
    Described("one", child=nn.ReLU()),
    Described("one\n\ntwo", child=Described("x\n\ny", leaf=nn.Identity())),
    Described("", child=mlp(1)),
]

out = {
    "torch": torch.__version__,
    "seed": SEED,
    "cases": cases,
    "numbers": numbers,
    "strings": strings,
    "modules": [tree(m) for m in modules],
}
text = json.dumps(out, separators=(",", ":"), allow_nan=False)
path = pathlib.Path(__file__).with_name("format.json.gz")
path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
print(len(cases), "cases,", path.stat().st_size, "bytes")
