"""Writes ops.json.gz: what PyTorch answers to the calls that tools/dump-records.mjs derives from the op records.

Inputs are not stored: both sides draw them from the seed of the call's id (test/support/draw.ts does the same).
"""

import base64
import gzip
import json
import re
import subprocess
import warnings
import zlib
from pathlib import Path

import torch

HERE = Path(__file__).parent
DTYPES = {name: getattr(torch, name) for name in ["float32", "float64", "int64", "int32", "uint8", "bool"]}
WORDS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf"), "-0": -0.0}


def seed_of(text):
    return zlib.crc32(text.encode())


def uniform(seed, shape, low, high):
    g = torch.Generator().manual_seed(seed)
    return torch.rand(shape, dtype=torch.float64, generator=g) * (high - low) + low


def draw(seed, shape, low, high, dtype):
    if dtype == "bool":
        return uniform(seed, shape, 0, 1) >= 0.5
    if dtype in ("float32", "float64"):
        return uniform(seed, shape, low, high).to(DTYPES[dtype])
    bottom = -(-low // 1)
    top = high // 1
    if dtype == "uint8":
        bottom = max(bottom, 0)
    if top < bottom:
        top = bottom
    return uniform(seed, shape, bottom, top + 1).floor().to(DTYPES[dtype])


def literal(data, dtype):
    def flat(value):
        return [x for item in value for x in flat(item)] if isinstance(value, list) else [value]

    def shape(value):
        return [len(value), *(shape(value[0]) if value else [])] if isinstance(value, list) else []

    values = flat(data)
    if dtype in ("float32", "float64"):
        numbers = [WORDS[x] if isinstance(x, str) else float(x) for x in values]
    elif dtype == "bool":
        numbers = [bool(x) for x in values]
    else:
        numbers = [int(x) % 256 if dtype == "uint8" else int(x) for x in values]
    return torch.tensor(numbers, dtype=DTYPES[dtype]).reshape(shape(data))


def laid_out(x, layout):
    """The same values in other places of memory."""
    if layout == "transposed":
        n = x.dim()
        order = list(range(n))[::-1]
        return torch.empty(list(x.shape)[::-1], dtype=x.dtype).permute(order).copy_(x)
    if layout == "sliced":
        if x.dim() == 0:
            return torch.stack([x, x])[1]
        wide = torch.zeros([*x.shape[:-1], 2 * x.shape[-1] + 1], dtype=x.dtype)
        wide[..., 1::2] = x
        return wide[..., 1::2]
    return x


def snake(name):
    return re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name)


def keyword(value):
    return DTYPES.get(value, value) if isinstance(value, str) else value


def without_vectors(fn, call, result):
    """What PyTorch's code for single elements gives where its vector code gives NaN (remainder of extreme operands), and
    the places of zeros whose sign depends on which of the two runs."""
    with torch.no_grad():
        single = torch.stack([fn(*(a[i : i + 1] for a in call.args))[0] for i in range(len(result))])
        if not result.is_floating_point():
            return result, []
        loose = (result == 0) & (single == 0) & (result.signbit() != single.signbit())
        return torch.where(result.isnan() & ~single.isnan(), single, result), loose.nonzero().flatten().tolist()


class Call:
    def __init__(self, case, dtype):
        self.tensors = []
        self.keywords = {}
        self.args = []
        for i, argument in enumerate(case["args"]):
            value = self.read(argument, f"{case['id']}#{i}", dtype, case.get("layout"))
            if isinstance(value, dict):
                self.keywords.update(value)
            else:
                self.args.append(value)

    def read(self, argument, key, dtype, layout, constant=False):
        if "value" in argument:
            value = argument["value"]
            if isinstance(value, dict):
                return {snake(name): keyword(v) for name, v in value.items()}
            return keyword(value)
        if "list" in argument:
            return [self.read(a, f"{key}.{k}", dtype, layout) for k, a in enumerate(argument["list"])]
        if "options" in argument:
            return {snake(name): self.read(a, f"{key}.{name}", dtype, layout, True) for name, a in argument["options"].items()}
        own = argument.get("dtype", dtype)
        if "shape" in argument:
            tensor = draw(seed_of(key), argument["shape"], argument.get("low", -2), argument.get("high", 2), own)
            tensor = laid_out(tensor, layout)
        else:
            tensor = literal(argument["data"], own)
        if not constant:
            self.tensors.append(tensor)
        return tensor


def find(entry):
    for path in (entry["torch"], entry["name"]):
        for root in (torch, torch.nn.functional, torch.Tensor):
            found = root
            for part in path.split("."):
                found = getattr(found, part, None)
            if callable(found) and not isinstance(found, (type, torch.dtype)):
                return found
    raise LookupError(f"PyTorch has no {entry['torch']}")


def pack(tensor):
    data = tensor.detach().resolve_neg().contiguous().numpy().tobytes()
    return {"dtype": str(tensor.dtype).split(".")[1], "shape": list(tensor.shape), "data": base64.b64encode(data).decode()}


def answer(entry, case, dtype):
    call = Call(case, dtype)
    fn = find(entry)
    floats = [t for t in call.tensors if t.is_floating_point()]
    tracked = entry["differentiable"] and len(floats) > 0 and case["group"] != "wide"
    if tracked:
        for t in floats:
            t.requires_grad_()
    args = list(call.args)
    writes = entry["name"].endswith("_")
    if writes:
        args[0] = args[0].clone()
    torch.manual_seed(seed_of(f"{case['id']}#seed"))
    result = fn(*args, **call.keywords)
    outputs = [result] if isinstance(result, torch.Tensor) else list(result)
    record = {"out": [pack(t) for t in outputs]}
    if case["group"] == "special":
        value, loose = without_vectors(fn, call, outputs[0])
        record["out"] = [pack(value)]
        record["looseSigns"] = loose
    if "layout" in case:
        source = call.tensors[0]
        out = outputs[0]
        shared = out.untyped_storage().data_ptr() == source.untyped_storage().data_ptr()
        record["view"] = {"strides": list(out.stride()), "offset": out.storage_offset(), "shared": shared}
    if tracked:
        parts = [(k, t) for k, t in enumerate(outputs) if t.requires_grad]
        if parts:
            seeds = [draw(seed_of(f"{case['id']}#grad{k}"), t.shape, -1, 1, str(t.dtype).split(".")[1]) for k, t in parts]
            try:
                grads = torch.autograd.grad([t for _, t in parts], floats, seeds, allow_unused=True)
                record["grads"] = [None if g is None else pack(g) for g in grads]
            except RuntimeError as error:
                record["backwardThrows"] = str(error).splitlines()[0]
    return record


def guarded(entry, case, dtype):
    try:
        return answer(entry, case, dtype)
    except Exception as error:
        return {"throws": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    text = subprocess.run(["node", HERE.parent.parent / "tools/dump-records.mjs"], capture_output=True, check=True).stdout
    entries = json.loads(text)
    for entry in entries:
        find(entry)
        for case in entry["cases"]:
            case["results"] = {dtype: guarded(entry, case, dtype) for dtype in case.pop("dtypes")}
    out = {"torch": torch.__version__, "seed": "crc32 of the argument's id", "entries": entries}
    blob = json.dumps(out, separators=(",", ":")).encode()
    (HERE / "ops.json.gz").write_bytes(gzip.compress(blob, 9, mtime=0))
    print(f"ops.json.gz: {len(entries)} ops, {sum(len(c['results']) for e in entries for c in e['cases'])} calls")


if __name__ == "__main__":
    main()
