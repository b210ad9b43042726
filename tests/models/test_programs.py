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


def rewritten(path, change, renamed=lambda name: [name]):
    """The archive with `change(name, content)` applied to every record, under each of the names `renamed` gives it; of
    two names the first holds what was changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w") as new, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two of one name are meant here
        for record in old.infolist():
            content = old.read(record)
            for place, name in enumerate(renamed(record.filename)):
                new.writestr(name, content if place else change(record.filename, content))
    with open(path, "wb") as file:
        file.write(buffer.getvalue())
    return path


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.mkdir, (self.path,)


def program(change):
    """A change of the program's JSON."""

    def changed(name, content):
        if not name.endswith("models/model.json"):
            return content
        facts = json.loads(content)
        change(facts["graph_module"])
        return json.dumps(facts).encode()

    return changed


def first_call(graph_module):
    return graph_module["graph"]["nodes"][0]


def crafted_target(module):
    first_call(module)["target"] = "torch.os.system"


def crafted_builtin(module):
    first_call(module)["target"] = "torch.ops.aten.save.default"


def crafted_caller(module):
    first_call(module)["target"] = "_operator.call"


def crafted_argument(module):
    first_call(module)["inputs"][0]["arg"] = {"as_operator": "torch.os.system"}


def crafted_size(module, text="__import__('os').system('true')"):
    module["graph"]["sym_int_values"] = {"s0": {"as_expr": {"expr_str": text, "hint": None}}}


def crafted_size_in_other_letters(module):
    """Python reads bold letters and wide underscores as plain ones."""
    bold = "".join(chr(0x1D41A + ord(letter) - ord("a")) for letter in "import")
    crafted_size(module, f"\uff3f\uff3f{bold}\uff3f\uff3f(0)")


def crafted_tree(module):
    factory = {"default_factory_module": "os", "default_factory_name": "abort", "dict_context": []}
    tree = {"type": "collections.defaultdict", "context": json.dumps(factory), "children_spec": []}
    module["module_call_graph"][0]["signature"]["in_spec"] = json.dumps([1, tree])


def crafted_keys(module):
    tree = {"type": "builtins.dict", "context": json.dumps([{"__enum__": True, "fqn": "os:environ", "name": "HOME"}])}
    module["module_call_graph"][0]["signature"]["out_spec"] = json.dumps([1, {**tree, "children_spec": []}])


CRAFTED = [
    crafted_target, crafted_builtin, crafted_caller, crafted_argument, crafted_size, crafted_size_in_other_letters,
    crafted_tree, crafted_keys,
]  # fmt: skip


@pytest.mark.parametrize("change", CRAFTED)
def test_a_crafted_export_is_refused(net, tmp_path, change, monkeypatch):
    path = rewritten(save(net, "export", str(tmp_path / "net.pt2")), program(change))
    monkeypatch.setattr(torch.export, "load", lambda *a, **k: pytest.fail("it was loaded"))
    with pytest.raises(ModelError, match="run code"):
        open_model(path)


def in_capitals(end):
    return lambda name: [name.removesuffix(end) + end.upper() if name.endswith(end) else name]


def twice(end):
    return lambda name: [name] * (2 if name.endswith(end) else 1)


@pytest.mark.parametrize("renamed", [in_capitals("model.json"), twice("model.json")], ids=["in capitals", "twice"])
def test_a_crafted_export_is_not_run_where_only_torch_would_find_it(net, tmp_path, renamed):
    """Torch's reader does not look at case, and takes the first of two."""
    ran = tmp_path / "ran"
    change = program(lambda module: crafted_size(module, f"__import__('os').mkdir('{ran}') or 1"))
    path = rewritten(save(net, "export", str(tmp_path / "net.pt2")), change, renamed)
    with pytest.raises(ModelError):
        open_model(path)
    assert not ran.exists()


def test_a_second_program_of_another_ending_is_not_run(net, tmp_path):
    """Torch's reader takes all that lies in `models/` for a program."""
    ran = tmp_path / "ran"
    path = save(net, "export", str(tmp_path / "net.pt2"))
    with zipfile.ZipFile(path) as old:
        (name,) = [each for each in old.namelist() if each.endswith("models/model.json")]
        change = program(lambda module: crafted_size(module, f"__import__('os').mkdir('{ran}') or 1"))
        crafted = change(name, old.read(name))
    with zipfile.ZipFile(path, "a") as new:
        new.writestr(name.replace("model.json", "a.txt"), crafted)
    assert len(open_model(path).card.layers) == 2
    assert not ran.exists()


def test_an_export_with_a_pickled_constant_is_refused(net, tmp_path, monkeypatch):
    def change(name, content):
        if not name.endswith("_weights_config.json"):
            return content
        facts = json.loads(content)
        next(iter(facts["config"].values()))["path_name"] = "opaque_obj_0"
        return json.dumps(facts).encode()

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


@pytest.mark.parametrize("call", ["torch.save", "torch . save", "torch.\\\n save", "ops.aten.save"])
@pytest.mark.parametrize(
    "renamed", [lambda name: [name], in_capitals(".py"), twice(".py")], ids=["plainly", "in capitals", "twice"]
)
def test_torchscript_that_writes_a_file_is_refused(tmp_path, call, renamed):
    target = str(tmp_path / "written")
    path = save(nn.Sequential(nn.Conv2d(3, 4, 3)), "script", str(tmp_path / "net.pt"))

    def change(name, content):
        text = content.decode(errors="replace")
        if not name.endswith(".py") or "def forward" not in text:
            return content
        return re.sub(
            r"(\n\s+)(return )", lambda found: f'{found[1]}{call}(input, "{target}"){found[0]}', text
        ).encode()

    rewritten(path, change, renamed)
    with pytest.raises(ModelError, match=r"can touch files|two records of one name"):
        open_model(path)
    assert not (tmp_path / "written").exists()


def test_torchscript_that_hides_torch_behind_another_name_is_refused(tmp_path):
    path = save(nn.Sequential(nn.Conv2d(3, 4, 3)), "script", str(tmp_path / "net.pt"))

    def change(name, content):
        return content.replace(b"    return ", b"    other = torch\n    return ") if name.endswith(".py") else content

    rewritten(path, change)
    with pytest.raises(ModelError, match="can touch files"):
        open_model(path)


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
