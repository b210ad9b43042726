"""Image: why a model answers as it does of one image: which channels, where in it, and what each layer kept."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlparse

import streamlit as st

from analysis.jobs.looked import Look, read_look
from analysis.jobs.looking import look_key
from analysis.jobs.request import LookRequest
from analysis.jobs.table import Job
from dashboard.components.dropzone import dropzone
from dashboard.components.gallery import gallery
from dashboard.components.look import look
from dashboard.frame import Way, go, heading, plain, remember, view
from dashboard.joblist import left
from dashboard.library import file_job, jobs, library
from dashboard.looks import (
    Known,
    Place,
    about,
    find_place,
    gallery_of,
    jobs_for,
    known_of,
    mistaken,
    places,
    request_of,
    seen_of,
    tiles_of,
    title_of,
)
from dashboard.pictures import Sheets
from dashboard.state import View
from dashboard.uploads import SAMPLES, keep_image, sample

EVERY = 1  # s between two looks at a job that runs
WIDE = 320  # px of the image while nothing was found in it
WRONG, ALL = "Those it gets wrong", "All"
here = view()


def choose(place: Place) -> None:
    """An image of one's own, a sample, or one of the probe's."""
    bring, probe = st.columns([2, 3], gap="large")
    with bring:
        known = {each.id: each for each in places()}
        chosen = st.selectbox(
            "Look with", list(known), index=list(known).index(place.id), format_func=lambda name: _called(known[name])
        )
        if chosen != place.id:
            go("image", View(atlas=str(chosen)))
        brought = dropzone(
            "photo", "Drop an image here", "JPEG, PNG or WebP. Or click to choose one.", key="bring-photo"
        )
        if brought:
            go("image", View(atlas=place.id, image=f"upload/{brought}"))
        with st.container(horizontal=True, vertical_alignment="center", key="samples"):
            st.caption("or a photo:", width="content")
            for title in SAMPLES:
                if st.button(title, key=f"sample-{title}", type="tertiary", icon=":material/photo:"):
                    go("image", View(atlas=place.id, image=f"upload/{keep_image(sample(title)).name}"))
    with probe:
        choose_of_probe(place)


def _called(place: Place) -> str:
    if place.atlas is None:
        return f"{place.card.name}, no atlas"
    images = "no images" if place.atlas.probe is None else f"{place.atlas.probe.count:,} images"
    return f"{place.card.name}, {images}"


def choose_of_probe(place: Place) -> None:
    atlas = place.atlas
    if atlas is None or atlas.probe is None:
        st.info(
            "This model was not measured on images, so there are none to choose from here.", icon=":material/image:"
        )
        return
    wrong = mistaken(atlas)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        offered = [WRONG, ALL] if wrong else [ALL]
        kind = st.segmented_control("Images of the probe", offered, default=offered[0], required=True)
        number = st.number_input(
            f"By number, to {atlas.probe.count - 1}", 0, atlas.probe.count - 1, None, placeholder="0", width=150
        )
    if number is not None:
        go("image", View(atlas=place.id, image=f"probe/{number}"))
    if kind == WRONG:
        st.caption(f"{wrong:,} images are called something else than their label; the surest mistakes first.")
    items, sheets = gallery_of(atlas, kind == WRONG), Sheets()
    opened = gallery(items, tiles_of(atlas, items, sheets), sheets, key=f"gallery-{atlas.id}-{kind}")
    if opened:
        go("image", View(atlas=place.id, image=opened))


def ask(request: LookRequest, layers: tuple[str, ...] | None = None) -> None:
    file_job("look", request.model_copy(update={"layers": layers}).model_dump(mode="json"))


def going_on(request: LookRequest, found: Look | None, job: Job | None) -> None:
    """How far it is, or why it is no further, and what can be done."""
    if job is None:
        return
    if not job.ended:
        with st.container(horizontal=True, vertical_alignment="center", key="going-on"):
            st.progress(min(1.0, job.done / job.total) if job.total else 0.0, text=plain(left(job)))
            st.button("Stop", icon=":material/stop:", on_click=jobs().cancel, args=(job.id,), disabled=job.cancel)
        return
    if job.state == "failed":
        st.error(plain(job.error or "This look failed."), icon=":material/error:")
    elif job.state == "cancelled":
        st.info("This was stopped. What was found by then is kept.", icon=":material/stop_circle:")
    elif found is None:
        st.info(
            "What was found in this image is not there any more: it was removed, or an earlier Strata found it.",
            icon=":material/delete:",
        )
    if job.state != "done" or found is None:
        label = "Go on" if job.state == "cancelled" else "Try again"
        st.button(label, icon=":material/replay:", on_click=ask, args=(request,), key="again")


def watch(place: Place, request: LookRequest, stood: bool, known: Known | None) -> None:
    """stood: whether what was found stood there when the page was begun · known: of the image before that."""
    found = read_look(library(), look_key(library(), request))
    job = next(iter(jobs_for(request)), None)
    if found is not None and not stood:
        st.rerun()  # its title is known now
    if found is None and job is None:
        ask(request)
        job = next(iter(jobs_for(request)), None)
    running = job is not None and not job.ended
    going_on(request, found, job)
    if found is not None:
        show(place, request, found, running)
    elif known is not None and known.picture is not None:
        st.image(known.picture, width=WIDE)
    if running != st.session_state.get("looking", running):
        st.session_state["looking"] = running
        st.rerun()
    st.session_state["looking"] = running


def show(place: Place, request: LookRequest, found: Look, running: bool) -> None:
    now = view()
    seen = seen_of(found, place, running)
    layer = now.layer if any(each.name == now.layer for each in seen.layers) else ""

    def went(to: str, channel: int | None) -> None:
        remember(here.at(layer=to, channel=channel), moved=("layer", "channel"))

    opened, wanted = look(seen, layer, now.channel, went, key=f"look-{found.key}")
    if wanted:
        ask(request, (wanted,))
        st.rerun()
    if opened:
        address = urlparse(opened)
        go(address.path.strip("/"), View.from_query(dict(parse_qsl(address.query))))


def the_image(place: Place) -> None:
    request = request_of(place, here.image)
    found = read_look(library(), look_key(library(), request))
    crumbs = [] if place.atlas is None else [Way(place.card.name, "overview", View(atlas=place.id))]
    crumbs.append(Way("Image", "image", View(atlas=place.id)))
    beside = [Way("Another image", "image", View(atlas=place.id), ":material/image_search:")]
    known = known_of(place, here.image) if found is None else None
    heading(title_of(found, here.image, known), about(found, here.image, known), crumbs, beside)
    job = next(iter(jobs_for(request)), None)
    running = job is None or not job.ended
    st.fragment(watch, run_every=EVERY if running else None)(place, request, found is not None, known)


if not places():
    heading("Image", "Why does a model answer as it does? Give it one image and see.")
    st.info(
        "There is no model in the library yet that can be run. Build an atlas first, then look at an image with it.",
        icon=":material/inventory_2:",
    )
elif here.image:
    the_image(find_place(here))
else:
    heading("Image", "Why does a model answer as it does? Which channels respond, where, and what each layer kept.")
    choose(find_place(here) if here.atlas else places()[0])
