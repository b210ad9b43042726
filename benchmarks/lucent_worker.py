"""Lucent at the other end of a pipe. Runs in a virtual environment of its own (see benchmarks/lucent.py).

Reads one JSON request a line, answers with one JSON line. Lucent is used as its tutorial shows it: all defaults, apart
from what a request says.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import torch

import analysis.models.torchvision_import  # noqa: F401  (before Lucent imports torchvision)
from analysis.models.open import open_model

STEPS = 512
"""Lucent's default."""


def main() -> None:
    torch.set_num_threads(1)
    from lucent.optvis import param, render, transform

    model = open_model(sys.argv[1])
    # as a person's model is when they give it to Lucent: its weights take gradients too
    network = model.module.requires_grad_(True)

    def picture(request: dict[str, Any], steps: int) -> np.ndarray:
        """One picture [H, W, 3] after `steps` steps."""
        torch.manual_seed(request.get("seed", 0))
        np.random.seed(request.get("seed", 0))
        more: dict[str, Any] = {}
        size = request.get("size")
        if size:  # a net of small inputs: no up-scaling, jitter in proportion
            more = {
                "param_f": lambda: param.image(size),
                "fixed_image_size": size,
                "transforms": [transform.jitter(2), transform.random_scale([0.95, 1, 1.05]), transform.jitter(2)],
            }
        made = render.render_vis(
            network, request["objective"], thresholds=(steps,), show_image=False, progress=False, **more
        )
        return made[-1][0]

    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request["want"] == "time":
            # two runs, so that what happens once a picture does not count as steps
            begin = time.process_time()
            picture(request, 1)
            middle = time.process_time()
            picture(request, 1 + request["steps"])
            answer: Any = ((time.process_time() - middle) - (middle - begin)) / request["steps"]
        else:
            np.save(request["file"], picture(request, STEPS))
            answer = "made"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
