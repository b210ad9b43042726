"""Lucent 0.1.8 in a virtual environment of its own, spoken to over a pipe."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "out" / "lucent-venv"
PICTURES = ROOT / "out" / "lucent-pictures"
PINS = ("torch-lucent==0.1.8", "kornia==0.4.1")
"""Lucent 0.1.8 asks for kornia at most 0.4.1; newer ones have renamed what it imports."""
NEEDS = ("tqdm", "decorator", "future", "ipython")


def prepare() -> Path:
    """Make the environment if it is not there; the path of its Python.

    It sees the torch and torchvision of this one, so that both engines run on the same build.
    """
    python = HOME / "bin" / "python"
    if (HOME / "complete").exists():
        return python
    venv.create(HOME, with_pip=True, clear=True)
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], text=True
    ).strip()
    Path(site, "beside.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.check_call([*install, "--no-deps", *PINS])
    subprocess.check_call([*install, *NEEDS])
    (HOME / "complete").touch()
    return python


class Lucent:
    """A running Lucent with one model open. Use it in a `with`."""

    def __init__(self, model: Path) -> None:
        self._fingerprint = hashlib.sha256(model.read_bytes()).hexdigest()[:12]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            [prepare(), "-m", "benchmarks.lucent_worker", model],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        self._hear()

    def seconds_a_step(self, layer: str, channel: int, steps: int, size: int | None = None) -> float:
        return float(self._ask(want="time", objective=self._name(layer, channel), steps=steps, size=size))

    def picture(self, layer: str, channel: int, *, size: int | None = None, seed: int = 0) -> np.ndarray:
        """[H, W, 3] in [0, 1] by its default of 512 steps. Kept: the same picture takes half a minute each time."""
        objective = self._name(layer, channel)
        file = PICTURES / f"{self._fingerprint}-{objective}-{size}-{seed}.npy".replace(":", "-")
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._ask(want="picture", objective=objective, size=size, seed=seed, file=str(file))
        made: np.ndarray = np.load(file)
        return made

    @staticmethod
    def _name(layer: str, channel: int) -> str:
        return f"{layer.replace('.', '_')}:{channel}"

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(('"', "[", "{")) or line[:1].isdigit() or line.startswith("-"):
                return json.loads(line)
        sys.exit("Lucent ended unexpectedly; its message stands above.")

    def __enter__(self) -> Lucent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
