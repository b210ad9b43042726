"""torch.export and TorchScript files: opened with gradient, and refused before loading where they are crafted."""

import io
import json
import re
import warnings
import zipfile

import pytest
import torch
from torch import nn

from analysis.models.capture import read, run_to
from analysis.models.errors import ModelError
from analysis.models.open import open_model


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 5, 3, stride=2)
        self.head = nn.Linear(5, 2)

    def forward(self, images):
        maps = self.second(torch.relu_(self.norm(self.first(images))))
        return self.head(nn.functional.dropout(maps, training=self.training).mean((2, 3)))


@pytest.fixture
def net():
    torch.manual_seed(0)
    net = Net().eval()
    net.norm.running_mean.normal_()
    return net


def save(net, kind, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = torch.rand(1, 3, 32, 32)
        if kind == "script":
            torch.jit.script(net).save(path)
        elif kind == "trace":
            torch.jit.trace(net, example).save(path)
        elif kind == "frozen":
            torch.jit.freeze(torch.jit.script(net)).save(path)
        else:
            torch.export.save(torch.export.export(net, (example,)), path)
    return path


@pytest.mark.parametrize("kind", ["script", "trace", "export"])
def test_layers_outputs_and_gradient(net, tmp_path, kind):
    model = open_model(save(net, kind, str(tmp_path / "net.pt2")), input_spec={"height": 32, "width": 32})
    assert [layer.name for layer in model.card.layers] == ["first", "second"]
    assert model.card.format == ("torch.export" if kind == "export" else "torchscript")
    images = torch.rand(3, 3, 32, 32, requires_grad=True)
    torch.testing.assert_close(model(images), net(images))
    torch.testing.assert_close(
        read(model, images, ["second"])["second"][0], net.second(net.norm(net.first(images)).relu())
    )
    (found,) = torch.autograd.grad(run_to(model, images, "second").square().sum(), images)
    (expected,) = torch.autograd.grad(net.second(net.norm(net.first(images)).relu()).square().sum(), images)
    torch.testing.assert_close(found, expected)
    assert not model.card.one_by_one


def test_an_export_under_any_name(net, tmp_path):
    assert open_model(save(net, "export", str(tmp_path / "net.bin"))).card.format == "torch.export"


def test_frozen_torchscript(net, tmp_path):
    model = open_model(save(net, "frozen", str(tmp_path / "net.pt")))
    assert len(model.card.layers) == 2


def test_an_export_in_training_mode_is_run_in_eval_mode(net, tmp_path):
    path = save(net.train(), "export", str(tmp_path / "net.pt2"))
    model = open_model(path)
    images = torch.rand(3, 3, 32, 32)
    torch.testing.assert_close(model(images), net.eval()(images))


def rewritten(path, change):
    """The archive with `change(name, content)` applied to every record."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w") as new:
        for record in old.infolist():
            new.writestr(record.filename, change(record.filename, old.read(record)))
    with open(path, "wb") as file:
        file.write(buffer.getvalue())
    return path


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.mkdir, (self.path,)


def crafted_targets(name, content):
    return content.replace(b"torch.ops.aten.relu_.default", b"torch.os.system")


def crafted_expression(name, content):
    if not name.endswith("model.json"):
        return content
    facts = json.loads(content)
    facts["range_constraints"] = {"__import__('os').system('true')": {"min_val": 0, "max_val": 2}}
    facts["graph_module"]["graph"]["sym_int_values"] = {
        "s0": {"as_expr": {"expr_str": "__import__('os').system('true')", "hint": None}}
    }
    return json.dumps(facts).encode()


@pytest.mark.parametrize("change", [crafted_targets, crafted_expression])
def test_a_crafted_export_is_refused(net, tmp_path, change, monkeypatch):
    path = rewritten(save(net, "export", str(tmp_path / "net.pt2")), change)
    monkeypatch.setattr(torch.export, "load", lambda *a, **k: pytest.fail("it was loaded"))
    with pytest.raises(ModelError, match="run code"):
        open_model(path)


def test_an_export_with_a_running_pickle_is_refused(net, tmp_path, monkeypatch):
    def change(name, content):
        if "sample_inputs" not in name:
            return content
        buffer = io.BytesIO()
        torch.save(Runs(str(tmp_path / "ran")), buffer)
        return buffer.getvalue()

    path = rewritten(save(net, "export", str(tmp_path / "net.pt2")), change)
    monkeypatch.setattr(torch.export, "load", lambda *a, **k: pytest.fail("it was loaded"))
    with pytest.raises(ModelError, match="pickle"):
        open_model(path)
    assert not (tmp_path / "ran").exists()


def test_torchscript_that_writes_a_file_is_refused(tmp_path):
    target = str(tmp_path / "written")
    net = nn.Sequential(nn.Conv2d(3, 4, 3))
    path = save(net, "script", str(tmp_path / "net.pt"))

    def change(name, content):
        text = content.decode(errors="replace")
        if not name.endswith(".py") or "def forward" not in text:
            return content
        return re.sub(r"(\n\s+)(return )", rf'\1torch.save(input, "{target}")\1\2', text).encode()

    rewritten(path, change)
    with pytest.raises(ModelError, match="aten::save"):
        open_model(path)
    assert not (tmp_path / "written").exists()


def test_a_cut_program_is_refused(net, tmp_path):
    path = save(net, "script", str(tmp_path / "net.pt"))
    content = (tmp_path / "net.pt").read_bytes()
    (tmp_path / "net.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="damaged"):
        open_model(path)


class Changed(nn.Module):
    """Looks at pixels in another form than it is given: its first convolution sees twelve channels of three."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(12, 4, 3)

    def forward(self, images):
        return self.first(nn.functional.pixel_unshuffle(images, 2))


def test_a_net_whose_first_convolution_sees_more_channels_than_the_image_has(tmp_path):
    torch.jit.script(Changed().eval()).save(str(tmp_path / "net.pt"))
    card = open_model(tmp_path / "net.pt").card
    assert card.input.channels == 3
    assert card.layers[0].in_channels == 12


class Standardised(nn.Module):
    """Weights standardised by a batch norm without running statistics, which has no eval mode (timm's NFNets)."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3, 3, 3))

    def forward(self, images):
        flat = self.weight.reshape(1, 4, -1)
        even = nn.functional.batch_norm(flat, None, None, training=True, momentum=0.0).reshape_as(self.weight)
        return nn.functional.conv2d(images, even)


def test_standardised_weights_stay_standardised_in_an_exported_program(tmp_path):
    net = Standardised().eval()
    torch.export.save(torch.export.export(net, (torch.rand(1, 3, 32, 32),)), tmp_path / "net.pt2")
    image = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(open_model(tmp_path / "net.pt2")(image), net(image))


def test_a_file_that_says_itself_what_it_computes_takes_no_architecture(tmp_path):
    torch.jit.script(Changed().eval()).save(str(tmp_path / "net.pt"))
    with pytest.raises(ModelError, match="says itself what it computes"):
        open_model(tmp_path / "net.pt", architecture="resnet18")
