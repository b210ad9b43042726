"""Wrong input: the batch norms see other numbers than they remember from training."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.findings.evidence import Evidence
from analysis.findings.finding import Finding
from analysis.findings.rule import Rule

Z, R = 0.5, 1.0
"""Shift of the mean in stored deviations, and of the variance in octaves, from which the first norm's input is wrong.
Matched images give 0.03 and 0.07, JPEG copies of the right images 0.17 and 0.6."""
R_OTHER = 0.6
"""Octaves from which some norm further on says that the images are others."""
Z_STALE, R_STALE = 1.0, 2.0
"""Shifts of a later norm, where the first one is right, that no image explains."""


def judge(evidence: Evidence) -> Iterator[Finding]:
    shifts = [(layer.name, shift) for layer in evidence.layers if (shift := _shift(evidence, layer.name))]
    if not shifts:
        return
    first, (z, r) = shifts[0]
    later = [(layer, shift) for layer, shift in shifts if shift[0] > Z_STALE or shift[1] > R_STALE]
    if z > Z or r > R:
        yield Finding(
            RULE.name,
            "high",
            "The model is fed other numbers than it was trained on: its input is not normalised as in training.",
            first,
            (),
            _figures(z, r),
            f"Images prepared as in training shift the first batch norm by less than z = {Z} and r = {R}; the right "
            "images by 0.03 and 0.07.",
            "Say how the images were prepared in training: strata build … --input mean=[…] --input std=[…] "
            "--input range=[0,255] --input order=BGR. Nothing else that is found here counts before that is right.",
        )
    elif later:
        layer, (z, r) = later[0]
        yield Finding(
            RULE.name,
            "high",
            f"The batch norm after {layer} remembers other numbers than reach it: its statistics are stale.",
            layer,
            (),
            _figures(z, r),
            f"Where the first norm's input is right, as here, later ones shift by less than z = {Z_STALE} and "
            f"r = {R_STALE}.",
            "Load the running statistics with the weights, or renew them by a pass in training mode.",
        )
    elif max(r for _, (_, r) in shifts) > R_OTHER:
        layer, (z, r) = next((layer, shift) for layer, shift in shifts if shift[1] > R_OTHER)
        yield Finding(
            RULE.name,
            "medium",
            "These images differ from those the model was trained on: it may answer worse than it could.",
            layer,
            (),
            _figures(z, r),
            f"Images of the kind it was trained on shift no batch norm by r = {R_OTHER}; saving them as JPEG does.",
            "Measure on images from the same source, uncompressed and resized as for training; then see how it does "
            "on these.",
        )


def _shift(evidence: Evidence, layer: str) -> tuple[float, float] | None:
    facts = evidence.facts("statistics", layer).get("batch_norm")
    return None if facts is None else (facts["z"], facts["r"])


def _figures(z: float, r: float) -> dict[str, float | int | str]:
    return {"shift of the mean, z": round(z, 3), "shift of the variance, r": round(r, 3)}


def applies(evidence: Evidence) -> str | None:
    measured = [layer.name for layer, _ in evidence.each("statistics")]
    if measured and not any(_shift(evidence, layer) for layer in measured):
        return "not applicable: no batch normalisation reads a convolution's output, so none remembers its input"
    return None


RULE = Rule(
    "input",
    "Wrong input",
    "Batch norms that see other numbers than they remember: wrong normalisation, stale statistics, other images.",
    {"statistics": ("channel",)},
    judge,
    applies,
)
