"""The choices of the page that opens a model: which file, which images, what to correct."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from analysis.models.input_spec import InputSpec
from analysis.models.model import ModelCard
from dashboard.components.dropzone import dropzone
from dashboard.frame import plain
from dashboard.library import library
from dashboard.opening.allowed import Kind, offered
from dashboard.opening.samples import choose_sample
from dashboard.opening.sources import SAMPLES

BRING, SERVER, SAMPLE, KNOWN, NONE = "Upload", "On the server", "A sample", "In the library", "No images"
BY_ITSELF = "as recognised"


def choose_model() -> str | None:
    """The source that a person chose in this run: their own, or one of the samples, which are there at once."""
    own = _choose_own()
    st.subheader("Or a sample", anchor=False)
    return choose_sample() or own


def _choose_own() -> str | None:
    kinds = [BRING, *([SERVER] if offered("models") else []), *([KNOWN] if library().models() else [])]
    kind: str | None = BRING
    if len(kinds) > 1:
        kind = st.segmented_control("Where is it?", kinds, default=BRING, required=True, label_visibility="collapsed")
    if kind == BRING:
        about = (
            "A state dict, checkpoint, safetensors, ONNX, TorchScript or torch.export file. "
            "Files that run code when they are opened are refused."
        )
        upload = dropzone("models", "Drop a model file here, or choose one", about, key="bring-model")
        return f"upload/{upload}" if upload else None
    if kind == SERVER:
        return _on_the_server("models")
    return _one_of({f"library/{card.id}": card.id for card in library().models()}, "model")


def choose_images(sample: str) -> str | None:
    """The images that a person chose in this run. sample: the sample that is opened, empty for none."""
    kinds = [BRING, *([SERVER] if offered("images") else []), SAMPLE, NONE]
    usual = SAMPLE if sample else BRING
    kind = st.segmented_control("Images", kinds, default=usual, required=True, label_visibility="collapsed")
    if kind == BRING:
        about = "A zip or tar of image files, or an .npz. One folder a class gives labels; some hundreds do well."
        upload = dropzone("images", "Drop images here, or choose a file", about, key="bring-images")
        return f"upload/{upload}" if upload else None
    if kind == SERVER:
        return _on_the_server("images")
    if kind == NONE:
        st.caption("Without images there are pictures and weights, but no statistics, no real images, fewer findings.")
        return "none"
    drawn = {f"sample/{name}": f"Drawings for {each.title}" for name, each in SAMPLES.items() if each.finish}
    wanted = f"sample/{sample}" if f"sample/{sample}" in drawn else next(iter(drawn))
    return str(st.selectbox("Drawings", list(drawn), index=list(drawn).index(wanted), format_func=drawn.__getitem__))


def _on_the_server(kind: Kind) -> str | None:
    names = offered(kind)
    label = "File" if kind == "models" else "Folder or archive"
    chosen = st.selectbox(label, names, index=None, placeholder="Type to search", format_func=_below)
    return f"server/{chosen}" if chosen else None


def _below(name: str) -> str:
    """`0/nets/a.pth` → nets/a.pth; an allowed folder itself is “.”."""
    return name.partition("/")[2] or "."


def _one_of(titles: Mapping[str, str], what: str) -> str | None:
    chosen = st.selectbox(
        what.capitalize(), list(titles), index=None, placeholder="Choose", format_func=titles.__getitem__
    )
    return str(chosen) if chosen else None


def corrections(card: ModelCard, architecture: str, said: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """A form of what may be corrected; what a person says when they ask to look again, else None."""
    spec = card.input
    with st.form("corrections", border=False):
        names = list(dict.fromkeys([BY_ITSELF, *([architecture] if architecture else []), *card.alternatives]))
        chosen = st.selectbox(
            "Architecture",
            names,
            index=names.index(architecture) if architecture else 0,
            accept_new_options=True,
            help="Whose weights these are. Nets that they fit are listed; any name of torchvision's or timm's will do.",
        )
        values = _input_widgets(spec)
        again = st.form_submit_button("Look again with these", icon=":material/refresh:")
    if not again:
        return None
    changed = {name: value for name, value in values.items() if value != _plain(getattr(spec, name))}
    return ("" if chosen == BY_ITSELF else str(chosen)), {**said, **changed}


def _input_widgets(spec: InputSpec) -> dict[str, Any]:
    size, colours = st.columns(2)
    with size:
        height = st.number_input("Height, px", 8, 4096, spec.height)
        width = st.number_input("Width, px", 8, 4096, spec.width)
        crop = st.number_input("Centre crop", 0.1, 1.0, float(spec.crop), help="Share of the short side that is kept.")
    with colours:
        orders = ["RGB", "BGR"] if spec.channels == 3 else [spec.order]
        order = st.selectbox("Order of colours", orders, index=orders.index(spec.order))
        ranges = list(dict.fromkeys([tuple(map(float, spec.range)), (0.0, 1.0), (0.0, 255.0), (-1.0, 1.0)]))
        value_range = st.selectbox(
            "Black and white are", ranges, format_func=lambda ends: f"{ends[0]:g} and {ends[1]:g}"
        )
        mean = st.text_input("Mean", _listed(spec.mean), help="One number a channel, in these units.")
        std = st.text_input("Deviation", _listed(spec.std), help="One number a channel, in these units.")
    return {
        "height": int(height), "width": int(width), "crop": float(crop), "order": str(order),
        "range": list(value_range), "mean": _numbers(mean, spec.mean), "std": _numbers(std, spec.std),
    }  # fmt: skip


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _numbers(text: str, otherwise: tuple[float, ...]) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        st.warning(f"“{plain(text)}” is no list of numbers, so what was there stays.", icon=":material/edit_off:")
        return list(otherwise)
    return list(otherwise) if text == _listed(otherwise) else values


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
