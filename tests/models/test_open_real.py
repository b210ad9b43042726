"""Real files by other people: each opens with its known conv count, or is refused with what to do."""

import pytest
import torch

from analysis.models.capture import read, run_to
from analysis.models.errors import ModelError
from analysis.models.model import ModelCard
from analysis.models.open import inspect_model, open_model
from tests.shared import shared_file

OPENS = {
    "squeezenet/squeezenet1_1_imagenet_torchnorm.pth": (26, "squeezenet1_1"),
    "cifar-resnet/resnet20-12fca82f.th": (19, "cifar_resnet20"),
    "cifar-resnet/resnet56-4bfd9763.th": (55, "cifar_resnet56"),
    "windows-machine-learning/ImageClassifier.onnx": (4, None),
    "windows-machine-learning/myFirstModel.pth": (4, None),
    "lenet/mnist_cnn.pt": (3, None),
    "mtcnn/onet.pt": (4, None),
    "ultraface/version-RFB-320_simplified.onnx": (52, None),
    "windows-machine-learning/SqueezeNet_fp16.onnx": (26, None),
    "windows-machine-learning/mnist.onnx": (2, None),
    "ultraface/version-RFB-320.onnx": (52, None),
    "ultraface/version-slim-320.onnx": (42, None),
    "yunet/yunet_n_dynamic.onnx": (59, None),
}
SLOW = {"onnx-light/light_densenet121.onnx": (121, None), "yolox/yolox_nano.onnx": (113, None)}
WEIGHTS_ONLY = {
    "ultraface/version-RFB-320.pth": 52,
    "yunet/yunet_n.pth": 59,
    "mtcnn/pnet.pt": 5,
    "blazeface/blazeface.pth": 37,
    "silero-vad/silero_vad.jit": 10,
}
"""Nothing here knows how these are run: their convolutions are listed from the tensors."""
REFUSED = {
    "not-a-model/image_classification_ppresnet50_2022jan.onnx": "git lfs pull",
    "not-a-model/mnist.safetensors": "no weights",
    "vdsr/model_epoch_50.pth": r"vdsr\.Net.*--trust",
    "ort-extensions/pytorch_superresolution_with_pre_post_processing_op18.onnx": "extensions::DecodeImage",
}


@pytest.mark.parametrize("name", [*OPENS, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_conv_count_and_gradient(name):
    model = open_model(shared_file(f"models/{name}"))
    card = model.card
    assert (len(card.layers), card.architecture) == {**OPENS, **SLOW}[name]
    if card.format == "onnx":
        assert card.verification["onnxruntime difference"] < 5e-3
    spec = card.input
    images = torch.rand(1, spec.channels, spec.height, spec.width, requires_grad=True)
    (gradient,) = torch.autograd.grad(run_to(model, images, card.layers[-1].name).sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("name", WEIGHTS_ONLY)
def test_layers_of_weights_that_nothing_here_runs(name):
    card = inspect_model(shared_file(f"models/{name}"))
    assert card.weights_only
    assert len(card.layers) == WEIGHTS_ONLY[name]
    assert ModelCard.from_json(card.to_json()) == card


@pytest.mark.slow
def test_style_transfer_with_old_operators():
    card = open_model(shared_file("models/windows-machine-learning/candy.onnx")).card
    kinds = [layer.kind for layer in card.layers]
    assert (kinds.count("Conv2d"), kinds.count("ConvTranspose2d")) == (14, 2)
    assert (card.input.range, card.input.order) == ((0.0, 255.0), "BGR")  # its first node takes these means away


def test_a_chain_rebuilt_by_rule_has_the_geometry_of_its_onnx_twin():
    """The two were trained apart, so their weights differ; strides, padding and pools are the same."""
    folder = "models/windows-machine-learning"
    rebuilt = open_model(shared_file(f"{folder}/myFirstModel.pth"))
    twin = open_model(shared_file(f"{folder}/ImageClassifier.onnx"))
    geometry = [
        [
            (layer.padding, layer.receptive_field, layer.jump, layer.offset, layer.output_size)
            for layer in model.card.layers
        ]
        for model in (rebuilt, twin)
    ]
    assert geometry[0] == geometry[1]
    assert "rebuilt by rule" in rebuilt.card.warnings[0]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_what_to_do(name):
    with pytest.raises(ModelError, match=REFUSED[name]):
        open_model(shared_file(f"models/{name}"))


def test_a_card_opens_the_same_model_again():
    path = shared_file("models/squeezenet/squeezenet1_1_imagenet_torchnorm.pth")
    first = open_model(path, input_spec={"height": 128, "width": 128, "mean": (0.1, 0.2, 0.3)})
    card = ModelCard.from_json(first.card.to_json())
    assert card == first.card
    second = open_model(path, **card.options)
    assert second.card == card
    images = torch.rand(1, 3, 128, 128)
    assert torch.equal(
        read(first, images, ["classifier.1"])["classifier.1"][0],
        read(second, images, ["classifier.1"])["classifier.1"][0],
    )


def test_squeezenet_is_named_by_what_it_is():
    card = open_model(shared_file("models/squeezenet/squeezenet1_1_imagenet_torchnorm.pth")).card
    assert card.id == f"squeezenet1_1-{card.sha256[:8]}"
    assert card.input.mean == (0.485, 0.456, 0.406)
    assert card.layer("features.3.expand3x3").out_channels == 64
