"""A small matrix of the loading benchmark: nets of both zoos, saved in every format, opened from the file alone."""

import pytest

from benchmarks.loading import FORMATS, NO_FILE, RIGHT, Result, measure, table

NETS = [("timm", "test_resnet")]
MORE = [
    ("torchvision", "squeezenet1_1"),
    ("torchvision", "shufflenet_v2_x0_5"),
    ("torchvision", "mobilenet_v3_small"),
    ("torchvision", "convnext_tiny"),
    ("strata", "cifar_resnet20_b"),
]


@pytest.mark.parametrize("net", [*NETS, *(pytest.param(net, marks=pytest.mark.slow) for net in MORE)])
@pytest.mark.filterwarnings("ignore")
def test_every_format_opens_and_computes_the_same(net):
    for result in measure(net, FORMATS, 64):
        assert result.difference is not None, f"{result.format}: {result.reason}"
        assert result.difference < RIGHT, result.format


def test_the_page_counts_and_names_what_is_missing():
    page = table(
        [
            Result("timm", "a", "pt2", 1.0, 1e-6),
            Result("timm", "b", "pt2", 2.0, 0.5),
            Result("timm", "c", "pt2", 0.1, reason="ModelError: no"),
            Result("timm", "d", "pt2", 0.0, reason=f"{NO_FILE}the exporter's own words"),
        ],
        planned=7,
    )
    assert "4 of 7 planned nets" in page
    assert "| timm | pt2 | 4 | 3 | 2 | 1 (33.3%) |" in page
    assert "`b`, pt2: output off by 0.5" in page
    assert "`c`, pt2: ModelError: no" in page
    assert page.index("`c`") < page.index("make no file of") < page.index("`d`")
