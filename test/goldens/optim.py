"""50-step trajectories of torch.optim in float64 on a small least-squares problem, for test/optim.test.ts."""
import base64
import gzip
import json
import os

import torch

SEED = 11
CASES = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.001, "maximize": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.02}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("Adam", {"lr": 0.01, "maximize": True}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True}),
]


def trajectory(name, options):
    torch.manual_seed(SEED)
    x = torch.randn(20, 5, dtype=torch.float64)
    goal = torch.randn(20, 3, dtype=torch.float64)
    w = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    b = torch.randn(3, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([w, b], **options)
    rows = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = (x @ w + b - goal).square().mean()
        loss.backward()
        optimizer.step()
        rows.append(torch.cat([w.detach().reshape(-1), b.detach(), loss.detach().reshape(1)]))
    return base64.b64encode(torch.stack(rows).numpy().tobytes()).decode()


out = {
    "torch": torch.__version__,
    "seed": SEED,
    "cases": [{"name": n, "options": o, "rows": trajectory(n, o)} for n, o in CASES],
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "optim.json.gz")
with open(path, "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as f:
    f.write(json.dumps(out, separators=(",", ":")).encode())
