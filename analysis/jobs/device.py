"""Where the net of a worker runs: on a GPU where there is one, and where it answers there as it does here."""

from __future__ import annotations

import copy
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from analysis.models.model import Model

log = logging.getLogger(__name__)
DEVICE = "STRATA_DEVICE"
"""Environment variable: `cpu` to leave GPUs alone."""
ALIKE = 1e-2
"""Greatest difference to what the processor answers, as a share of its deviation: GPUs sum in another order, and some
in fewer digits."""


def gpus() -> int:
    """How many GPUs this process may use. Where no driver is, torch is not asked: it takes a second to load."""
    if os.environ.get(DEVICE) == "cpu" or not Path("/proc/driver/nvidia/version").exists():
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def own_gpu() -> torch.device | None:
    """This worker's: workers of one machine share its GPUs out by their names, 0, 1, …; None where there is none."""
    import torch

    count = gpus()
    return torch.device("cuda", _number() % count) if count else None


def _number() -> int:
    from distributed import get_worker

    try:
        name = get_worker().name
    except ValueError:  # not in a worker
        return 0
    return name if isinstance(name, int) else 0


def moved(model: Model, device: torch.device) -> Model:
    """A copy of the model there; the model itself where it does not go there or answers otherwise."""
    import torch

    from analysis.models.assemble import example_of
    from analysis.models.capture import run_to

    images, last = example_of(model.card.input, count=2), model.card.layers[-1].name
    try:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
        there = replace(model, module=copy.deepcopy(model.module).to(device))
        with torch.no_grad():
            wanted, found = run_to(model, images, last), run_to(there, images, last).cpu()
        if bool((found - wanted).abs().max() <= ALIKE * wanted.std()):
            return there
        why = "it answers otherwise there"
    except Exception as error:  # whatever a net or its driver raises
        why = str(error)
    log.warning("%s is run on the processor, not on %s: %s", model.card.name, device, why)
    return model
