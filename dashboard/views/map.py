"""A layer's maps: its channels where likeness puts them, alone or beside another's; its activation atlas."""

from __future__ import annotations

import streamlit as st

from analysis.atlas.atlas import Atlas
from dashboard.beside import about, all_places, counterpart_of, find_other, side_by_side
from dashboard.components.map import Done, Plane, plane_map
from dashboard.frame import Way, go, heading, plain, view
from dashboard.landscape import cells_of, channels_of, landscape_of
from dashboard.library import being_built, file_job, find_atlas, find_layer, layers_around, library
from dashboard.maps import ATLAS, MAP, Layout, in_square, layouts_of, places_of, points_of, request_for, without_place
from dashboard.pictures import Sheets
from dashboard.state import MAX_SELECTED, View

EVERY = 2  # s between two looks at a map that is being made
SHOWN = {MAP: "Channels", ATLAS: "Activation atlas"}
LAYOUTS = {"tsne": "By neighbourhood (t-SNE)", "umap": "By neighbourhood (UMAP)", "pca": "By direction (PCA)"}
COST = {
    MAP: "It takes one pass over the images, or less.",
    ATLAS: "It takes some minutes: one pass over the images, a layout, and a picture for each of some 200 cells.",
}
here = view()
atlas = find_atlas(here, page="map")
layer = find_layer(here, atlas.model, page="map")
walk = layers_around(atlas, layer)
place = View(atlas=atlas.id, layer=layer.name)
other = find_other(here, atlas, layer)


def there_is(of: Atlas, name: str, technique: str) -> bool:
    return (of.map(name) if technique == MAP else of.activation_atlas(name)) is not None


def wait_for_it(of: Atlas, name: str, technique: str) -> None:
    if there_is(of, name, technique) or not being_built(of):
        st.rerun()
    what = "map" if technique == MAP else "activation atlas"
    st.status(f"The {what} of {plain(name)} is being made. It shows here when it is.", state="running")


def ask_for_it(of: Atlas, name: str, technique: str) -> None:
    what = "map" if technique == MAP else "activation atlas"
    failed = next((reason for task, reason in of.failures() if (task.technique, task.layer) == (technique, name)), None)
    if failed:
        st.error(plain(failed), icon=":material/error:")
    request = request_for(of, name, technique)
    if request is None:
        st.info(
            f"{what.capitalize()}s need images: likeness is how alike the answers to them are.", icon=":material/map:"
        )
        return
    st.info(f"The {what} of {plain(name)} is not made yet. {COST[technique]}", icon=":material/map:")
    if st.button(f"Make the {what}", type="primary", icon=":material/map:"):
        file_job("build", request)
        st.rerun()


def made(of: Atlas, name: str, technique: str) -> bool:
    """Whether it is there; if not, it is waited or asked for."""
    if there_is(of, name, technique):
        return True
    if being_built(of):
        st.fragment(wait_for_it, run_every=EVERY)(of, name, technique)
    else:
        ask_for_it(of, name, technique)
    return False


def follow(done: Done, target: View | None) -> None:
    if done.opened is not None and target is not None:
        go("channel", target)
    neighbour = walk.at(done.step)
    if neighbour:
        go(
            "map",
            here.at(layer=neighbour, selected=(), other=here.other if other and other.atlas.id != atlas.id else ""),
        )


def choose(name: str, options: dict[str, str]) -> str:
    """What the address says of `name`, the first of the options where it says nothing; a click changes the address."""
    now = st.query_params.get(name, "")
    now = now if now in options else next(iter(options))
    picked = st.segmented_control(
        name,
        list(options),
        format_func=options.__getitem__,
        default=now,
        required=True,
        label_visibility="collapsed",
        key=f"{name}-{now}",
    )
    if picked != now:
        query = {**st.query_params.to_dict(), name: picked}
        if name == "show":  # channels are picked in one, cells in the other
            query.pop("selected", None)
        st.query_params.from_dict(query)
        st.rerun()
    return now


def choose_other() -> None:
    """What lies beside: another layer of this atlas, or the counterpart in another atlas."""
    layers = {each: f"Layer {each}" for each in walk.names if each != layer.name and each in own_layers}
    atlases = {
        each.id: f"{each.model.name} ({each.id})" for each in library().atlases()
        if each.id != atlas.id and counterpart_of(layer, atlas, each) is not None
    }  # fmt: skip
    options = {"": "Nothing beside", **atlases, **layers}
    if other is not None:
        options.setdefault(other.address, f"{other.atlas.model.name}, {other.layer.name}")
    chosen = st.selectbox(
        "Beside",
        list(options),
        index=list(options).index(other.address if other else ""),
        format_func=options.__getitem__,
        label_visibility="collapsed",
        key=f"beside-{atlas.id}-{layer.name}-{here.other}",
        width=320,
    )
    if chosen != (other.address if other else ""):
        st.query_params["other"] = chosen
        st.rerun()


def the_channels(layout: Layout) -> None:
    sheets = Sheets()
    found = places_of(atlas, layer.name, layout)
    assert found is not None
    beside = other and places_of(other.atlas, other.layer.name, layout)
    planes, said = [Plane(layer.name, points_of(atlas, layer, found, in_square(found.places), sheets, {}))], ""
    if other and beside:
        side = side_by_side(atlas, layer, other, found, beside)
        squares = all_places(found, side)
        back = {there: own for own, there in side.partner.items()}
        planes = [
            Plane(title_of(atlas, layer.name), points_of(atlas, layer, found, squares[0], sheets, side.partner)),
            Plane(
                title_of(other.atlas, other.layer.name),
                points_of(other.atlas, other.layer, beside, squares[1], sheets, back),
            ),
        ]
        said = about(side, other)
    key = f"map-{atlas.id}-{layer.name}-{other.address if other else ''}"
    known = set(found.channels.tolist())
    picked = [channel for channel in picked_here() if channel in known]
    done = plane_map(planes, sheets, title=layer.name, room=walk.room, key=key, picked=picked, on_pick=pick)
    target = place
    if done.opened and done.opened[0] == 1 and other:
        target = View(atlas=other.atlas.id, layer=other.layer.name)
    follow(done, target.at(channel=done.opened[1]) if done.opened else None)
    look_together(picked, "picked here")
    if said:
        st.caption(plain(said))
    nowhere = without_place(atlas, layer)
    if nowhere:
        st.caption(f"{nowhere} channels never vary, and lie nowhere.")


def title_of(of: Atlas, name: str) -> str:
    return name if other is None or other.atlas.id == atlas.id else f"{of.model.name} · {name}"


def the_atlas() -> None:
    land = landscape_of(atlas, layer.name)
    assert land is not None
    sheets = Sheets()
    cells = cells_of(atlas, land, sheets)
    known = {cell.id for cell in cells}
    picked = [cell for cell in picked_here() if cell in known]
    done = plane_map(
        [Plane(layer.name, cells)],
        sheets,
        title=f"activation atlas of {layer.name}",
        room=walk.room,
        key=f"atlas-{atlas.id}-{layer.name}",
        noun="cells",
        grid=land.grid,
        picked=picked,
        on_pick=pick,
    )
    follow(done, None)
    which = "the picked cell" if len(picked) == 1 else f"the {len(picked)} picked cells"
    look_together(channels_of(land, picked), f"that stand out in {which}")
    st.caption(land.about)


def picked_here() -> list[int]:
    """What the address says is picked. Of more than fit into an address, all that were drawn around in this session."""
    told, drawn = view().selected, st.session_state.get("map-picked", [])
    return drawn if tuple(drawn[:MAX_SELECTED]) == told else list(told)


def pick(drawn: list[int]) -> None:
    """Into the address, and nothing else of it touched."""
    st.session_state["map-picked"] = drawn
    if drawn:
        st.query_params["selected"] = ",".join(map(str, drawn[:MAX_SELECTED]))
    else:
        st.query_params.pop("selected", None)


def look_together(channels: list[int], which: str) -> None:
    if not channels:
        return
    chosen = place.at(find=", ".join(map(str, channels)), selected=tuple(channels[:MAX_SELECTED]))
    label = f"Look at the {len(channels)} channels {which}"
    st.page_link("views/layer.py", label=label, icon=":material/grid_view:", query_params=chosen.to_query())


heading(
    f"Map of {layer.name}",
    "",
    [Way(atlas.model.name, "overview", View(atlas=atlas.id)), Way(layer.name, "layer", place)],
)
own_layers = {each.name for each in atlas.model.layers}
with st.container(horizontal=True, vertical_alignment="center", key="map-choices"):
    shown = choose("show", SHOWN) if layer.name in own_layers else MAP
    layout: Layout = "tsne"
    if shown == MAP:
        known = layouts_of(atlas, layer.name)
        chosen = choose("layout", {name: about for name, about in LAYOUTS.items() if name in known or name != "umap"})
        layout = next((each for each in known if each == chosen), "tsne")
        choose_other()
if shown == ATLAS:
    if made(atlas, layer.name, ATLAS):
        st.fragment(the_atlas)()
elif made(atlas, layer.name, MAP):
    if other is not None:
        made(other.atlas, other.layer.name, MAP)
    st.fragment(the_channels)(layout)
