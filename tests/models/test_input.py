"""What a model is fed: from the file where it says, else with the reason; doubts are said; overrides win."""

import pytest
import torch
from torch import nn

from analysis.models import zoo
from analysis.models.assemble import Origin, assemble
from analysis.models.errors import ModelError
from analysis.models.guard import inspect_guarded
from analysis.models.input_spec import IMAGENET_MEAN, IMAGENET_STD, InputSpec
from analysis.models.known_input import known_input
from analysis.models.normalisation import candidates, doubt, natural_images
from analysis.models.open import open_model
from analysis.models.told_input import check_input
from tests.shared import shared_file


@pytest.mark.parametrize(
    ("net", "size", "mean"),
    [
        (("torchvision", "inception_v3"), 299, IMAGENET_MEAN),
        (("torchvision", "efficientnet_b0"), 224, IMAGENET_MEAN),
        (("timm", "mobilenetv3_large_100"), 224, IMAGENET_MEAN),
        (("timm", "inception_v4"), 299, (0.5, 0.5, 0.5)),
    ],
)
def test_the_zoos_records(net, size, mean):
    spec = known_input(*net)
    assert (spec.height, spec.width, spec.mean) == (size, size, pytest.approx(mean))
    assert net[1] in spec.evidence["mean"] or "timm" in spec.evidence["mean"]


class Stem(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 16, 5, 2)
        self.norm = nn.BatchNorm2d(16)
        self.last = nn.Conv2d(16, 4, 3)

    def forward(self, images):
        return self.last(self.norm(self.conv(images)).relu())


def trained_on(spec):
    """A stem whose batch norm has seen other natural images than the judge's, prepared by `spec`."""
    torch.manual_seed(1)
    net = Stem(spec.channels)
    images = natural_images(spec.channels, 80, 80).flip(3)
    net.norm.momentum = None
    net.norm.train()
    net(spec.prepare(images))
    return net.eval()


@pytest.mark.parametrize("truth", candidates(3))
@pytest.mark.parametrize("assumed", candidates(3))
def test_a_wrong_normalisation_is_doubted_and_a_right_one_is_not(truth, assumed):
    spec = candidates(3)[assumed]
    model = assemble(trained_on(candidates(3)[truth]), spec, Origin("stem"))
    said = doubt(model)
    if truth == assumed:
        assert said is None
    else:
        assert truth in (said or "")


def test_one_and_twelve_channels_and_nets_without_norm_are_not_doubted():
    for channels in (1, 12):
        spec = InputSpec(channels=channels, mean=(0.0,) * channels, std=(1.0,) * channels)
        assert doubt(assemble(trained_on(spec), spec, Origin("stem"))) is None
    assert doubt(assemble(nn.Conv2d(3, 4, 3), InputSpec(height=32, width=32), Origin("conv"))) is None


def test_real_nets_that_were_given_the_wrong_range():
    path = shared_file("models/cifar-resnet/resnet20-12fca82f.th")
    assert open_model(path).card.warnings == ()
    mean, std = IMAGENET_MEAN, IMAGENET_STD
    assert open_model(path, input_spec={"mean": mean, "std": std}).card.warnings == ()
    rebuilt = open_model(shared_file("models/windows-machine-learning/myFirstModel.pth"))
    assert any("from −1 to 1" in warning for warning in rebuilt.card.warnings)  # as the tutorial it comes from has it


def test_overrides_win_and_are_said(tmp_path):
    torch.save(zoo.build(zoo.OWN, "cifar_resnet20").state_dict(), tmp_path / "net.pth")
    card = open_model(tmp_path / "net.pth", input_spec={"mean": [0, 0, 0], "order": "BGR", "height": 48}).card
    assert (card.input.mean, card.input.order, card.input.height, card.input.width) == ((0, 0, 0), "BGR", 48, 32)
    assert card.input.evidence["mean"] == "as you said"
    assert card.input.any_size
    with pytest.raises(ModelError, match="no “colour”"):
        open_model(tmp_path / "net.pth", input_spec={"colour": 1})
    with pytest.raises(ModelError, match="one number a channel"):
        open_model(tmp_path / "net.pth", input_spec={"mean": [0.5]})


def test_bgr_and_255_reach_the_net():
    net = nn.Conv2d(3, 3, 1, bias=False)
    net.weight.data = torch.eye(3).view(3, 3, 1, 1)
    spec = InputSpec(height=4, width=4, order="BGR", range=(0.0, 255.0), mean=(104.0, 117.0, 123.0))
    model = assemble(net, spec, Origin("identity"))
    red = torch.zeros(1, 3, 4, 4)
    red[:, 0] = 1
    torch.testing.assert_close(model(red)[0, :, 0, 0], torch.tensor([-104.0, -117.0, 255 - 123.0]))


def test_a_net_of_one_size_is_not_any_size(tmp_path):
    net = "import torch\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    net += "        self.a = torch.nn.Conv2d(3, 4, 3)\n        self.b = torch.nn.Linear(4 * 30 * 30, 2)\n"
    net += "    def forward(self, x):\n        return self.b(self.a(x).flatten(1))\n"
    (tmp_path / "net.py").write_text(net)
    torch.save(
        {
            "a.weight": torch.randn(4, 3, 3, 3),
            "a.bias": torch.zeros(4),
            "b.weight": torch.randn(2, 3600),
            "b.bias": torch.zeros(2),
        },
        tmp_path / "net.pth",
    )
    card = open_model(
        tmp_path / "net.pth", architecture=f"{tmp_path}/net.py:Net", trust=True, input_spec={"height": 32, "width": 32}
    ).card
    assert not card.input.any_size


def test_a_net_of_one_size_is_given_that():
    """torchvision's first weights of vit_h_14 were made at 518 px; the net is built for 224."""
    assert known_input(zoo.TORCHVISION, "vit_h_14").height == 224


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"mean": "abc"}, r"mean of an input can not be 'abc'. Write it as mean=\[0.485"),
        ({"mean": 0.5}, "mean of an input can not be 0.5"),
        ({"std": [0.2, 0, 0.2]}, "std of an input can not be"),
        ({"range": [255]}, r"Write it as range=\[0,255\]"),
        ({"height": 0}, "height of an input can not be 0"),
        ({"order": "rgb"}, "Write it as order=BGR"),
        ({"crop": True}, "crop of an input can not be True"),
        ({"size": 64}, "An input has no “size”. It has any_size"),
    ],
)
def test_a_slip_in_what_is_told_of_the_input_is_not_blamed_on_the_file(told, sentence, tmp_path):
    net = tmp_path / "net.pt"
    torch.save(Stem(3).state_dict(), net)
    for opening in (open_model, inspect_guarded):
        with pytest.raises(ModelError, match=sentence):
            opening(net, input_spec=told)


def test_what_is_known_of_inputs_can_be_told_again():
    for spec in (*candidates(3).values(), InputSpec(1, 8, 8, (0.5,), (1.0,), (-1.0, 1.0), "L", 1.0, True)):
        check_input({name: value for name, value in vars(spec).items() if name != "evidence"})
