"""Read the tensors of a PyTorch checkpoint or safetensors file; nothing of the file is run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from analysis.models.errors import ModelError


def read_checkpoint(path: Path) -> Any:
    """What `torch.save` wrote, tensors on the CPU. Raises ModelError for damage and for anything but plain data."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path.name} holds Python objects, which are not loaded because they can run code. "
            "Save the weights alone, torch.save(model.state_dict(), …), or open it with --trust if you trust it."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError, TypeError, IndexError) as error:
        raise ModelError(f"{path.name} is cut short or damaged. Copy or download it again.") from error


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a safetensors file. Raises ModelError for damage."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path.name} is cut short or damaged. Copy or download it again.") from error
