"""What the library and overview pages say of an atlas."""

from __future__ import annotations

from datetime import datetime

from analysis.atlas.atlas import Atlas
from dashboard.address import link
from dashboard.components.strips import Figure, Strip
from dashboard.layers import representatives
from dashboard.library import layers_with_something
from dashboard.pictures import Sheets, Tile, spread
from dashboard.state import View
from sample_models.catalog import sample_of

CARD_PICTURES = 12


def progress_of(atlas: Atlas) -> tuple[int, int, int]:
    """(done, failed, total) tasks of all that was planned."""
    counts = atlas.progress()
    return sum(each.done for each in counts), sum(each.failed for each in counts), sum(each.total for each in counts)


def failures_of(atlas: Atlas) -> dict[str, str]:
    """Why something could not be made → what it was, shortly."""
    what: dict[str, list[str]] = {}
    for task, reason in atlas.failures():
        what.setdefault(reason, []).append(f"{task.technique} of {task.layer}" if task.layer else task.technique)
    return {
        reason: names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        for reason, names in what.items()
    }


def about_model(atlas: Atlas) -> str:
    """One line: what the model is."""
    card = atlas.model
    channels = sum(layer.out_channels for layer in card.layers)
    return f"{card.architecture or card.format} · {len(card.layers)} conv layers · {channels:,} channels"


def about_size(atlas: Atlas) -> str:
    """A few words: how large the model is, and what it takes."""
    spec, weights = atlas.model.input, sum(layer.parameters for layer in atlas.model.layers)
    return f"{counted(weights)} conv weights · input {spec.channels}×{spec.height}×{spec.width}"


def counted(number: int) -> str:
    """1234567 → 1.2 M."""
    if number < 1000:
        return str(number)
    return f"{number / 1e3:.0f} k" if number < 10**6 else f"{number / 1e6:,.1f} M"


def about_probe(atlas: Atlas) -> str:
    """One line: what it was measured on."""
    if atlas.probe is None:
        return "made without images"
    classes = f" of {len(atlas.probe.classes)} classes" if atlas.probe.classes else ""
    return f"measured on {atlas.probe.count:,} images{classes}"


def on_day(created: str) -> str:
    return f"{datetime.fromisoformat(created):%-d %b %Y}"


def atlas_strip(atlas: Atlas, sheets: Sheets, findings: Figure) -> Strip:
    """The atlas as a row of the library: pictures from first layer to last, findings, how far it is."""
    done, failed, total = progress_of(atlas)
    if not total:
        progress = Figure("waiting", "…", about="Nothing of it is planned yet.")
    elif done < total:
        progress = Figure("done", f"{100 * done / total:.0f} %", done / total)
    else:
        progress = Figure("complete", on_day(atlas.created))
    figures = [Figure("failed", str(failed), alarm=True)] if failed else []
    figures += [findings, progress]
    return Strip(
        atlas.id,
        link("overview", View(atlas=atlas.id)),
        atlas.model.name,
        f"{about_model(atlas)}\n{about_size(atlas)}\n{about_probe(atlas)}",
        [from_first_to_last(atlas, sheets)],
        figures,
        note=story_of(atlas),
    )


def story_of(atlas: Atlas) -> str:
    """What a sample that ships is, and what to look at in its atlas; of any other model nothing."""
    sample = sample_of(atlas.model.sha256)
    return "" if sample is None else f"{sample.title}. {sample.story} {sample.look_at}"


def from_first_to_last(atlas: Atlas, sheets: Sheets, count: int = CARD_PICTURES) -> list[Tile]:
    """`count` pictures from the first layer to the last, as evenly as there are layers."""
    layers = [layer for layer in layers_with_something(atlas) if representatives(atlas, layer, Sheets(), 1)]
    places = spread(range(len(layers)), count)
    each = -(-count // max(1, len(places)))
    found = [tile for place in places for tile in representatives(atlas, layers[place], sheets, each)]
    return found[:count] if len(places) > 1 else found
