"""As many pictures side by side as memory has room for, and in how many digits the net is run meanwhile."""

import pytest
import torch
from torch import nn

from analysis.features import precision, room
from analysis.features.parameters import Parameters
from analysis.features.render import render
from analysis.features.target import target_of
from analysis.heap import ALLOWED
from tests.features.nets import model_of, plain_prior, small_net, spec_of

WIDE = 64


def wide() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, WIDE, 3, padding=1), nn.Sigmoid(), nn.Conv2d(WIDE, 4, 3, padding=1))


def test_what_a_picture_takes_is_what_its_step_keeps():
    target = target_of(model_of(wide()), "2", Parameters(size=48))
    shown = 48 + 2 * target.view.wrap
    # the prepared picture, the sigmoid's map and the last conv's: floats; the first conv's own output is let go
    expected = 4 * shown**2 * (3 + WIDE + 4)
    assert expected <= room.bytes_a_picture(target) <= 1.5 * expected


def test_a_batch_fits_into_memory(monkeypatch):
    target = target_of(model_of(wide()), "2", Parameters(size=48))
    each = room.bytes_a_picture(target)
    for memory, batch in ((each, 1), (5 * each / room.SHARE, 5), (1000 * each, room.usual_batch(target.view))):
        monkeypatch.setenv(ALLOWED, str(int(memory)))
        assert room.batch_of(target) == batch


def test_a_picture_is_made_where_memory_holds_but_one(monkeypatch):
    monkeypatch.setenv(ALLOWED, "1")
    model = model_of(small_net())
    made = render(model, "2", [0, 1, 2], plain_prior(model), Parameters(steps=4))
    assert made.pictures.shape[0] == 3
    assert made.activation.isfinite().all()


@pytest.mark.parametrize("native", [True, False])
def test_few_digits_only_where_the_processor_has_them(monkeypatch, native):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: native)
    with precision.net_in(torch.device("cpu"), "mixed"):
        assert torch.is_autocast_enabled("cpu") == native
    with precision.net_in(torch.device("cpu"), "full"):
        assert not torch.is_autocast_enabled("cpu")


def test_few_digits_climb_as_far_and_are_measured_in_all(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    model = model_of(small_net(), spec_of(height=64, width=64))
    full, mixed = (
        render(model, "2", range(4), plain_prior(model), Parameters(precision=each)) for each in ("full", "mixed")
    )
    assert not torch.equal(full.pictures, mixed.pictures)
    assert ((mixed.activation - full.activation) / full.activation.abs()).abs().max() < 0.1
    target = target_of(model, "2", Parameters())
    with torch.no_grad():
        again = target.maps(mixed.pictures).mean((2, 3))
    assert torch.allclose(again, mixed.values, atol=1e-5)


class Strict(nn.Module):
    """Its own code takes float32 and nothing else."""

    def forward(self, maps):
        if maps.dtype != torch.float32:
            raise TypeError(f"{maps.dtype} is not what I was written for")
        return maps


class Enlarging(nn.Module):
    """Makes of the last digits something large."""

    def forward(self, maps):
        return torch.sin(3e3 * maps)


@pytest.mark.parametrize(("between", "borne"), [(nn.ReLU, "mixed"), (Strict, "full"), (Enlarging, "full")])
def test_few_digits_only_where_the_net_bears_them(monkeypatch, between, borne):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    torch.manual_seed(0)
    model = model_of(nn.Sequential(nn.Conv2d(3, 8, 3), between(), nn.Conv2d(8, 4, 3)))
    target = target_of(model, "2", Parameters())
    assert precision.bearable("mixed", target.read, torch.rand(2, 3, 48, 48)) == borne
    made = render(model, "2", [0, 1], plain_prior(model), Parameters(steps=4))
    assert made.activation.isfinite().all()
