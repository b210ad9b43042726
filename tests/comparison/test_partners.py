"""Channels that were shuffled are found again by their answers; those of another net are not made up."""

from __future__ import annotations

import numpy as np

from analysis.comparison.partners import partners, same_numbers


def answers(channels: int, seed: int = 0, images: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(images, channels)).astype(np.float32)


def test_shuffled_channels_find_each_other() -> None:
    first = answers(30)
    order = np.random.default_rng(5).permutation(30)
    second = 7 * first[:, order] + 0.3 * answers(30, seed=1) + 2
    found = partners(first, second)
    assert dict(zip(found["second"], found["first"], strict=True)) == dict(enumerate(order.tolist()))
    assert found["correlation"].min() > 0.95
    assert not same_numbers(first, second)
    assert same_numbers(first, 7 * first + answers(30, seed=1))


def test_layers_of_unequal_width_share_what_they_share() -> None:
    first = answers(12)
    second = np.concatenate([answers(50, seed=1), first[:, :4]], axis=1)
    found = partners(first, second)
    sure = found[found["correlation"] > 0.9]
    assert set(zip(sure["first"], sure["second"], strict=True)) == {(k, 50 + k) for k in range(4)}


def test_what_has_nothing_in_common_has_few_partners() -> None:
    counts = [len(partners(answers(40, seed), answers(40, 100 + seed))) for seed in range(5)]
    assert np.mean(counts) < 0.15 * 40


def test_channels_that_do_not_vary_have_no_partner() -> None:
    first = answers(8)
    first[:, 3] = 1
    assert 3 not in set(partners(first, first)["first"])
    assert partners(np.zeros((2, 3)), np.zeros((2, 3))).empty
    assert partners(np.zeros((9, 3)), np.zeros((9, 3))).empty
