"""Open a model: a file, what it was recognised as, the images to measure it on, what it will cost; then its atlas."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any

import streamlit as st

from analysis.amounts import in_bytes
from analysis.errors import StrataError
from analysis.findings.words import counted
from analysis.models.model import ModelCard
from dashboard.frame import go, heading, plain, view
from dashboard.joblist import left, span
from dashboard.layers import in_columns
from dashboard.library import hands, jobs, library
from dashboard.opening import estimate, making
from dashboard.opening.choose import choose_images, choose_model, corrections
from dashboard.opening.recognise import read_corrections, recognise
from dashboard.opening.sources import ModelFile, count_images, image_set, model_file
from dashboard.state import View
from sample_models.catalog import sample_of

LOOK = 0.7  # s between two looks at a file that is being opened
MAKING = "making"
here = view()


def choose_first() -> None:
    source = choose_model()
    if source:
        go("open", View(file=source))


def wait_for(card: Future[ModelCard]) -> None:
    """Until the file is open the page says so; then it is drawn anew."""
    if card.done():
        st.rerun()
    st.status("Opening it in a process of its own, to see what it is …", state="running", expanded=False)


def recognised(card: ModelCard) -> None:
    st.subheader("What it is", anchor=False)
    left_side, right_side = st.columns(2, gap="large")
    with left_side:
        st.markdown(f"**Architecture** {plain(card.computes)}")
        st.caption(plain(card.evidence))
        for warning in card.warnings:
            st.warning(plain(warning), icon=":material/warning:")
        rows = [_told(card, name) for name in ("size", "order", "range", "mean", "std", "crop")]
        cells = [{name: plain(text) for name, text in row.items()} for row in rows]
        st.table(cells, hide_index=True, border="horizontal")
    with right_side:
        channels = sum(layer.out_channels for layer in card.layers)
        st.markdown(f"**{len(card.layers)} conv layers**, {channels:,} channels")
        st.dataframe([in_columns(layer) for layer in card.layers], hide_index=True, height=290, width="stretch")
    with st.expander("Something is wrong: correct it", icon=":material/edit:"):
        said = corrections(card, here.architecture, read_corrections(here.input))
    if said is not None:
        architecture, fields = said
        go("open", here.at(architecture=architecture, input=json.dumps(fields) if fields else ""))


def _told(card: ModelCard, name: str) -> dict[str, str]:
    """One line of the input and where it is from."""
    spec = card.input
    if name == "size":
        written = f"{spec.channels} × {spec.height} × {spec.width}"
        why = [_why(card, "height"), "other sizes run too" if spec.any_size else ""]
        return {"Input": name, "": written, "Why": "; ".join(part for part in why if part)}
    value = asdict(spec)[name]
    written = ", ".join(f"{part:g}" for part in value) if isinstance(value, list | tuple) else str(value)
    return {"Input": name, "": written, "Why": _why(card, name)}


def _why(card: ModelCard, name: str) -> str:
    """Where a part of the input is from. What a sample's catalog says of it, no person said."""
    sample = sample_of(card.sha256)
    if sample is not None and name in sample.input and name not in read_corrections(here.input):
        return "as this sample was trained"
    return card.input.evidence.get(name, "")


def make(file: ModelFile, card: ModelCard) -> None:
    """Images, extent, an estimate, the start."""
    st.subheader("What to measure it on", anchor=False)
    sample = here.file.removeprefix("sample/") if here.file.startswith("sample/") else ""
    chosen = None
    if card.weights_only:
        st.caption("Nothing here runs these weights, so the atlas shows what they alone tell.")
    elif here.images:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(plain(_about_images(here.images)), width="content")
            st.page_link("views/open.py", label="Other images", query_params=here.at(images="").to_query())
        chosen = here.images
    else:
        chosen = choose_images(sample)
        if chosen and chosen.startswith("upload/"):
            go("open", here.at(images=chosen))
    if chosen is None and not card.weights_only:
        return
    st.subheader("How much", anchor=False)
    start(file, card, chosen or "none")


def _about_images(source: str) -> str:
    path = image_set(source)
    count = None if path is None else count_images(path)
    return "No images" if path is None else f"{path.name}, {count:,} images" if count is not None else path.name


def start(file: ModelFile, card: ModelCard, images: str) -> None:
    extents = {"Every channel": None, "16 channels a layer, for a first look": 16}
    pictures, channels = False, None
    if not card.weights_only:
        extent = st.radio("Channels", list(extents), label_visibility="collapsed", horizontal=True)
        channels = extents[str(extent)]
        pictures = st.checkbox("Make the pictures of what excites each channel", value=True, help="They take longest.")
    count = None if images == "none" else _count(images)
    st.markdown(plain(_estimate(card, 0 if images == "none" else count, channels, pictures)))
    wanted = (card, file.path, here.file, images, channels, pictures)
    st.button("Make the atlas", type="primary", icon=":material/play_arrow:", on_click=begin, args=wanted)


def begin(*wanted: Any) -> None:
    st.session_state[MAKING] = here.file, making.begin(*wanted)


def being_made() -> Future[str] | None:
    """What this page was asked to make of its file, and has not been led away from."""
    file, coming = st.session_state.get(MAKING, ("", None))
    return coming if file and file == here.file else None


def wait_to_follow(coming: Future[str]) -> None:
    if coming.done():
        st.rerun()
    st.status("Putting it and its images into the library. It goes on if you leave this page.", state="running")


def lead_on(coming: Future[str]) -> None:
    if not coming.done():
        st.fragment(wait_to_follow, run_every=LOOK)(coming)
        return
    del st.session_state[MAKING]
    error = coming.exception()
    if error is None:
        go("open", View(job=coming.result()))
    if not isinstance(error, StrataError):
        raise error or RuntimeError("the page was not left")
    st.error(plain(str(error)), icon=":material/block:")


def _count(images: str) -> int | None:
    kind, _, _name = images.partition("/")
    if kind == "sample":
        return 360
    path = image_set(images)
    return None if path is None else count_images(path)


def _estimate(card: ModelCard, images: int | None, channels: int | None, pictures: bool) -> str:
    workers = hands()
    layers = [layer.name for layer in card.layers]
    about = estimate.seconds(card, images or 0, layers, channels, pictures, workers)
    if card.weights_only or about is None:
        return "This takes seconds."
    earlier = jobs().recent(50)
    cards = {known.id: known for known in library().models()}
    counts = {}
    for atlas in library().atlases():
        if atlas.probe:
            counts.update({job.id: atlas.probe.count for job in earlier if job.result.get("atlas") == atlas.id})
    about *= estimate.pace_here(earlier, cards, counts, workers)
    unknown = " The images were not counted, so they come on top." if images is None else ""
    about_them = f"This will take about {span(about)} on {counted(workers, 'core')}."
    return f"{about_them} What is done shows while the rest is made.{unknown}"


def follow(job_id: str) -> None:
    job = jobs().get(job_id)
    if job.result.get("atlas"):
        go("overview", View(atlas=str(job.result["atlas"])), replace=True)
    if job.state == "failed":
        st.error(plain(job.error or "This build failed."), icon=":material/error:")
        st.page_link("views/jobs.py", label="To the jobs", icon=":material/list_alt:", query_params={})
    elif job.state == "cancelled":
        st.info("This build was stopped before it began.", icon=":material/stop_circle:")
    else:
        st.progress(0.0, text=plain(left(job)))
        st.caption("Its overview opens by itself as soon as there is something to see.")


def opened(source: str) -> None:
    file = model_file(source)
    with st.container(horizontal=True, vertical_alignment="center"):
        size = in_bytes(file.path.stat().st_size)
        st.markdown(f"**{plain(file.path.name)}** · {size}", width="content")
        st.page_link("views/open.py", label="Another file", icon=":material/undo:", query_params={})
    card = recognise(file, here.architecture, read_corrections(here.input))
    if not card.done():
        st.fragment(wait_for, run_every=LOOK)(card)
        return
    error = card.exception()
    if error is None:
        recognised(card.result())
        make(file, card.result())
        return
    if not isinstance(error, StrataError):
        raise error
    st.error(plain(str(error)), icon=":material/block:")
    if "--trust" in str(error):
        st.caption("A file that runs code of its own is not opened from a browser, whoever asks.")
    if here.architecture or here.input:
        again = here.at(architecture="", input="").to_query()
        st.page_link("views/open.py", label="Without the corrections", icon=":material/undo:", query_params=again)


asked = jobs().get(here.job) if here.job else None
heading("Open a model", "See what it is, say what to measure it on, and have its atlas made.", [])
if asked:
    st.fragment(follow, run_every=1)(asked.id)
elif coming := being_made():
    lead_on(coming)
elif here.file:
    opened(here.file)
else:
    choose_first()
