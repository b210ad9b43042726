"""Dream: a person's own image, rewritten by what a layer learned."""

from __future__ import annotations

import streamlit as st

from analysis.dream.parameters import DreamParameters
from analysis.errors import StrataError
from analysis.jobs.table import Job
from analysis.models.model import ModelCard
from dashboard.components.viewer import viewer
from dashboard.dreams import best_first, download_of, dreamable, frames_of, good_layer, known_model, original_of
from dashboard.forms import parameters_form
from dashboard.frame import go, heading, plain, view
from dashboard.joblist import job_title, left
from dashboard.layers import about_layer
from dashboard.library import file_job, jobs, library
from dashboard.state import View
from dashboard.uploads import SAMPLES, keep_image, sample

OWN = "Your own"
ONE, STRIP = "One layer", "Five layers, first to last"
here = view()


def chosen_image() -> tuple[bytes, str] | None:
    """What is dreamed on: its content and its name; None until there is one."""
    choice = st.segmented_control("Image", [*SAMPLES, OWN], default=next(iter(SAMPLES)), required=True)
    if choice != OWN:
        content = sample(str(choice))
        st.image(content, alt=f"Photo: {choice}")
        return content, str(choice)
    brought = st.file_uploader("Your image", type=["jpg", "jpeg", "png", "webp"], label_visibility="collapsed")
    if brought is None:
        return None
    try:
        keep_image(brought.getvalue(), brought.name)
    except StrataError as error:
        st.error(plain(str(error)), icon=":material/broken_image:")
        return None
    st.image(brought.getvalue(), alt=brought.name)
    return brought.getvalue(), brought.name


def controls(cards: dict[str, ModelCard], known: str) -> None:
    """known: the model that the address names, empty where it names none."""
    picture, choice = st.columns([2, 3], gap="large")
    with picture:
        image = chosen_image()
    with choice:
        ids = list(cards)
        model = st.selectbox(
            "Model", ids, index=ids.index(known) if known in cards else 0, format_func=lambda name: cards[name].name
        )
        card = cards[str(model)]
        layers = {layer.name: layer for layer in dreamable(card)}
        if not layers:
            st.info("This model has no two-dimensional convolution to dream with.", icon=":material/block:")
            return
        kind = st.segmented_control("Dream with", [ONE, STRIP], default=ONE, required=True)
        default = good_layer(card)
        wanted = here.layer if here.layer in layers else default.name if default else next(iter(layers))
        layer, channel = wanted, None
        if kind == ONE:
            layer = str(st.selectbox("Layer", list(layers), index=list(layers).index(wanted), key=f"layer-of-{model}"))
            st.caption(about_layer(layers[layer]))
            last = layers[layer].out_channels - 1
            start = here.channel if here.channel is not None and here.channel <= last else None
            channel = st.number_input(
                f"Channel (0 to {last})", 0, last, start, placeholder="all of the layer", key=f"channel-of-{layer}"
            )
        else:
            st.caption("The same image, rewritten by five layers of the model one after the other, shallow to deep.")
        steps, colors = st.columns(2)
        with steps:
            parameters = parameters_form(DreamParameters, ["steps"], "dream")
        with colors:
            parameters |= parameters_form(DreamParameters, ["colors"], "dream")
        with st.expander("Finer settings"):
            finer = [name for name in DreamParameters.model_fields if name not in ("steps", "colors")]
            parameters |= parameters_form(DreamParameters, finer, "dream")
        if st.button("Dream", type="primary", icon=":material/auto_awesome:", disabled=image is None) and image:
            request = {
                "model": card.id,
                "image": str(keep_image(*image)),
                "layer": layer,
                "channel": channel,
                "strip": kind == STRIP,
                "parameters": parameters,
            }
            go("dream", View(job=file_job("dream", request).id))


def again(job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link("views/dream.py", label="New dream", icon=":material/add:", query_params={})
        if not job.ended:
            st.button("Stop", icon=":material/stop:", on_click=jobs().cancel, args=(job.id,), disabled=job.cancel)


def watch(job_id: str) -> None:
    job = jobs().get(job_id)
    if job.state == "failed":
        st.error(plain(job.error or "This dream failed."), icon=":material/error:")
    elif job.state == "cancelled":
        st.info("This dream was stopped. What it had drawn by then is kept.", icon=":material/stop_circle:")
    elif not job.ended:
        st.progress(min(1.0, job.done / job.total) if job.total else 0.0, text=plain(left(job)))
    before = original_of(job)
    if before:
        strip = bool(job.request.get("strip"))
        viewer(
            before,
            frames_of(job),
            download_of(job),
            key=f"dream-{job.id}",
            film=120 if strip else 72,
            beside=400 if strip else 340,
        )
    again(job)
    if job.ended and st.session_state.get("watching") == job.id:
        del st.session_state["watching"]
        st.rerun()


if here.job:
    job = jobs().get(here.job)
    heading("Dream", job_title(job))
    if not job.ended:
        st.session_state["watching"] = job.id
    st.fragment(watch, run_every=None if job.ended else 1)(job.id)
else:
    heading("Dream", "Give it an image, choose a layer, and see the image rewritten by what that layer learned.")
    models = {card.id: card for card in best_first(library().models())}
    if models:
        controls(models, known_model(here, models))
    else:
        st.info(
            "There is no model in the library yet. Build an atlas first, then dream with it.",
            icon=":material/inventory_2:",
        )
