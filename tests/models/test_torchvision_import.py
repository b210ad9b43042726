"""torchvision works beside a CPU build of torch, and its replaced operators compute what they should."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.models.torchvision_import import nms, roi_align, torchvision


def test_torchvision_timm_and_onnx2torch_import():
    import onnx2torch
    import timm

    assert torchvision.models.get_model
    assert timm.create_model
    assert onnx2torch.convert


def iou(a, b):
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / area


boxes_and_scores = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3)),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(boxes_and_scores)
def test_nms_is_greedy_and_the_first_of_equals_wins(rows):
    boxes = [(x, y, x + w, y + h) for x, y, w, h, _ in rows]
    scores = [score for *_, score in rows]
    kept = []
    for index in sorted(range(len(rows)), key=lambda index: -scores[index]):
        if all(iou(boxes[index], boxes[other]) <= 0.4 for other in kept):
            kept.append(index)
    found = torchvision.ops.nms(
        torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4), torch.tensor(scores, dtype=torch.float64), 0.4
    )
    assert found.tolist() == kept
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []


def test_roi_align_of_a_ramp_is_the_ramp():
    """Bilinear samples of a linear map are exact, so each bin holds the value at its centre."""
    rows = torch.arange(20.0)[:, None].expand(20, 20)
    maps = torch.stack([rows, rows.t()])[None]
    pooled = roi_align(maps, torch.tensor([[0.0, 2.0, 4.0, 10.0, 16.0]]), 1.0, 3, 2, 2, True)
    assert pooled.shape == (1, 2, 3, 2)
    torch.testing.assert_close(pooled[0, 0, :, 0], torch.tensor([5.5, 9.5, 13.5]))
    torch.testing.assert_close(pooled[0, 1, 0], torch.tensor([3.5, 7.5]))


def test_roi_align_outside_of_the_map_is_zero():
    pooled = torchvision.ops.roi_align(torch.ones(1, 1, 8, 8), [torch.tensor([[100.0, 100.0, 110.0, 110.0]])], 2)
    assert pooled.abs().sum() == 0


@pytest.mark.slow
def test_a_detection_model_runs():
    net = torchvision.models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None)
    with torch.no_grad():
        (found,) = net.eval()([torch.rand(3, 120, 160)])
    assert found["boxes"].shape[1] == 4
