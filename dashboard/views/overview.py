"""A model from first layer to last: what each layer's channels look like, and how they behave."""

from __future__ import annotations

import streamlit as st

from dashboard.answers import answers_of
from dashboard.atlases import about_model, about_probe, about_size, failures_of, progress_of, story_of
from dashboard.charts import ABOUT, hierarchy_chart
from dashboard.components.findings import findings
from dashboard.components.network import network
from dashboard.components.strips import Head, strips
from dashboard.findings import cards_of, findings_of, unjudged_of
from dashboard.frame import Way, go, heading, plain, view
from dashboard.hierarchy import hierarchy_of, request_for_twin
from dashboard.layers import layer_strip
from dashboard.library import asked_for, being_built, file_job, find_atlas, layers_with_something
from dashboard.network import network_of
from dashboard.pictures import Sheets
from dashboard.state import View

TWIN = (
    "Eight pictures a layer, made as the model's own are. A hierarchy that an untrained net shows as well is its "
    "architecture's, not what it learned."
)
here = view()
atlas = find_atlas(here)
beside = [
    Way("Compare", "compare", View(atlas=atlas.id), ":material/compare:"),
    Way("Dream with it", "dream", View(atlas=atlas.id), ":material/auto_awesome:"),
]
heading(atlas.model.name, " · ".join((about_model(atlas), about_size(atlas), about_probe(atlas))), [], beside)
if story := story_of(atlas):
    st.markdown(f"**What to look at** · {plain(story)}")
for warning in atlas.model.warnings:
    st.warning(plain(warning), icon=":material/warning:")
if atlas.probe and atlas.probe.skipped:
    with st.expander(f"Images that could not be read: {len(atlas.probe.skipped)}", icon=":material/broken_image:"):
        for name, reason in atlas.probe.skipped[:50]:
            st.markdown(f"{plain(name)} *({plain(reason)})*")


def progress() -> None:
    done, failed, total = progress_of(atlas)
    if total and done + failed < total:
        stopped = "" if growing else "; nobody makes the rest now"
        told = f"{done} of {total} pieces are made" + (f", {failed} failed" if failed else "") + stopped
        st.progress(done / total, text=told)
    elif not total and growing:
        st.progress(0.0, text="Waiting for the engine")
    elif failed:
        with st.expander(f"{failed} of {total} pieces could not be made", icon=":material/warning:"):
            for reason, what in failures_of(atlas).items():
                st.markdown(f"{plain(reason)} *({plain(what)})*")


def looks_wrong(sheets: Sheets) -> None:
    found, unjudged = cards_of(atlas, sheets), unjudged_of(atlas)
    if not found and not unjudged:
        st.caption("Nothing looks wrong: every rule had what it needs, and none found anything.")
        return
    lines = [f"{each.title}: {each.needs}" for each in unjudged]
    opened = findings(found, lines, sheets, key=f"findings-{atlas.id}")
    if opened:
        go("layer" if opened.channel is None else "channel", opened.at(atlas=atlas.id))


def steps() -> None:
    """The hierarchy as a plot, where enough layers have pictures."""
    rungs, twin = hierarchy_of(atlas), hierarchy_of(atlas, twin=True)
    if len(rungs) < 3:
        return
    st.subheader("From edges to objects", anchor=False, help=ABOUT)
    chosen = hierarchy_chart(rungs, twin, key=f"hierarchy-{atlas.id}")
    if chosen:
        go("layer", View(atlas=atlas.id, layer=chosen))
    if twin:
        st.caption("Dotted: the same net with random weights. What both lines share was not learned.")
    if asked_for(atlas, "twins"):
        st.caption("The same net with random weights is being drawn; it shows here when it is.")
        return
    request = request_for_twin(atlas)
    label = "Draw the same net with random weights beside it"
    if request and st.button(label, icon=":material/casino:", help=TWIN):
        file_job("build", request)
        st.rerun()


def answers() -> None:
    found = answers_of(atlas)
    if found:
        st.markdown(plain(f"{found.said} {found.confused}"), help=found.basis or None)
        label = "Look at the images it gets wrong" if found.errs else "Look at single images"
        place = View(atlas=atlas.id).to_query()
        st.page_link("views/image.py", label=label, icon=":material/image_search:", query_params=place)


def layers() -> None:
    progress()
    answers()
    drawn = Sheets()
    chosen = network(*network_of(atlas, findings_of(atlas), drawn), drawn, key=f"network-{atlas.id}")
    if chosen:
        go("layer", View(atlas=atlas.id, layer=chosen))
    looks_wrong(Sheets())
    sheets = Sheets()
    rows = [layer_strip(atlas, layer, sheets) for layer in layers_with_something(atlas)]
    titles = next((strip.figures for strip in rows if strip.figures), [])
    head = Head("Layer, first to last", ["What its channels look for"], [figure.title for figure in titles])
    opened = strips(rows, sheets, key=f"layers-{atlas.id}", head=head, left="270px")
    if opened:
        go("layer", View(atlas=atlas.id, layer=opened))
    steps()
    if growing and not being_built(atlas):
        st.rerun()


finished = progress_of(atlas)
lacking = not finished[2] or finished[0] + finished[1] < finished[2]
growing = (lacking and being_built(atlas)) or asked_for(atlas, "twins")
st.fragment(layers, run_every=4 if growing else None)()
