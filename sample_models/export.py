"""A trained net as a file: state dict, ONNX, TorchScript, torch.export, safetensors, a Lightning-style checkpoint."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from sample_models.net import Plan, ResNet
from sample_models.training import normalise


class FromPixels(ResNet):
    """The net with its normalisation inside: takes images in [0, 1]. Its layers keep their names."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(normalise(x))


def from_pixels(net: nn.Module, plan: Plan) -> nn.Module:
    whole = FromPixels(plan)
    whole.load_state_dict(net.state_dict())
    return whole.eval()


def weights(net: nn.Module, dtype: torch.dtype | None = None) -> dict[str, Tensor]:
    """The state dict, contiguous, on the CPU, floats as `dtype`."""
    state = {key: value.detach().cpu().contiguous() for key, value in net.state_dict().items()}
    return {key: value.to(dtype) if dtype and value.is_floating_point() else value for key, value in state.items()}


def to_state_dict(net: nn.Module, path: Path, dtype: torch.dtype | None = None) -> None:
    torch.save(weights(net, dtype), path)


def to_onnx(net: nn.Module, path: Path, shape: tuple[int, int, int]) -> None:
    """Opset 17, batch of any size, batch norm kept as it is: its running statistics are evidence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.cpu().to(memory_format=torch.contiguous_format).eval(),  # type: ignore[call-overload]
            (torch.rand(1, *shape),),
            str(path),
            opset_version=17,
            dynamo=False,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        )


def to_torchscript(net: nn.Module, path: Path, shape: tuple[int, int, int]) -> None:
    """A traced program, without its debugging records: they hold the paths of the machine that made it."""
    whole = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the normalisation's constants are constants, as they should be
        torch.jit.save(torch.jit.trace(net.eval(), torch.rand(2, *shape)), whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new:
        for record in old.infolist():
            if not record.filename.endswith(".debug_pkl"):
                new.writestr(zipfile.ZipInfo(record.filename), old.read(record))


def to_exported(net: nn.Module, path: Path, shape: tuple[int, int, int]) -> None:
    """`.pt2`, batch of any size, without the paths of the machine that made it."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    program = torch.export.export(net.eval(), (torch.rand(2, *shape),), dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    torch.export.save(program, str(path))


def to_safetensors(net: nn.Module, path: Path) -> None:
    save_file(weights(net), str(path))


def to_lightning(net: nn.Module, path: Path, epoch: int) -> None:
    """The keys of a PyTorch Lightning checkpoint; weights under `state_dict`, each name with `model.` in front."""
    state = {f"model.{key}": value for key, value in weights(net).items()}
    content = {"epoch": epoch, "global_step": 0, "pytorch-lightning_version": "2.6.6", "state_dict": state, "loops": {}}
    torch.save({**content, "callbacks": {}, "optimizer_states": [], "lr_schedulers": [], "hyper_parameters": {}}, path)
