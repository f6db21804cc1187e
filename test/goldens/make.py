"""Runs every script beside this one that writes golden files; needs PyTorch 2.13 and a built dist/."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

for script in sorted(HERE.glob("*.py")):
    if script.name != Path(__file__).name:
        print(script.name, flush=True)
        subprocess.run([sys.executable, script], check=True)
