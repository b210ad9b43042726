"""The other pictures of one channel: its opposite, its several faces, with other parameters; made when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from analysis.atlas.atlas import Atlas, Render
from analysis.features.parameters import PortraitParameters
from analysis.jobs.request import RenderRequest
from analysis.jobs.table import Job
from analysis.models.layers import ConvLayer
from dashboard.components.unit import Face, Portrait
from dashboard.forms import parameters_form
from dashboard.library import being_built, file_job, recent_jobs
from dashboard.measures import written
from dashboard.pictures import address

FACES = 4
PRESETS: Mapping[str, dict[str, Any]] = {
    "Its opposite": {"negative": True},
    f"{FACES} faces": {"faces": FACES},
    "Beside a random net": {"twin": True},
}
"""What people ask for most, as buttons below the picture."""
OFFERED = ("negative", "faces", "diversity", "site", "goal", "twin", "steps", "seed", "size", "contrast", "freedom")
"""The parameters of the form; the others are for the command line."""


def portraits_of(atlas: Atlas, layer: ConvLayer, channel: int) -> list[Portrait]:
    """What was asked for of a channel, newest first: pictures, or why there are none."""
    coming = "Being made …" if being_built(atlas) else "Asked for, and not made."
    planned = [_portrait(atlas, render, coming) for render in atlas.renders(layer.name, channel)]
    titles = {each.title for each in planned}
    asked = dict.fromkeys(_title(job.request["parameters"]) for job in _under_way(atlas, layer, channel))
    return [Portrait(title, "Waiting for the engine …", []) for title in asked if title not in titles] + planned


def being_rendered(atlas: Atlas, layer: ConvLayer, channel: int) -> bool:
    """Whether pictures of this channel were asked for and are still to come."""
    return bool(_under_way(atlas, layer, channel))


def _under_way(atlas: Atlas, layer: ConvLayer, channel: int) -> list[Job]:
    wanted = {"atlas": atlas.id, "layer": layer.name, "channel": channel}
    renders = (job for job in recent_jobs() if job.kind == "render" and not job.ended)
    return [job for job in renders if wanted.items() <= dict(job.request).items()]


def render_again(atlas: Atlas, layer: ConvLayer, channel: int) -> None:
    """A form for what is seldom asked for; it files a job."""
    with st.expander("Render again with other parameters", icon=":material/tune:"), st.form("render", border=False):
        columns = st.columns(3)
        chosen: dict[str, Any] = {}
        for place, name in enumerate(OFFERED):
            with columns[place % 3]:
                chosen |= parameters_form(PortraitParameters, [name], f"portrait-{layer.name}-{channel}")
        if st.form_submit_button("Render", type="primary", icon=":material/brush:"):
            ask_for(atlas, layer, channel, chosen)


def ask_for(atlas: Atlas, layer: ConvLayer, channel: int, parameters: Mapping[str, Any]) -> None:
    """File a job for pictures of a channel, and draw the page anew."""
    request = RenderRequest(atlas=atlas.id, layer=layer.name, channel=channel, parameters=parameters)
    file_job("render", request.model_dump(mode="json"))
    st.rerun()


def _portrait(atlas: Atlas, render: Render, coming: str) -> Portrait:
    title = _title(render.parameters)
    if render.folder is None or render.table is None:
        return Portrait(title, render.reason or coming, [])
    faces = [
        Face(address(atlas, render.folder, f"face-{row['face']}.webp"), said(row, render.parameters))
        for row in render.table.to_dict("records")
    ]
    if atlas.path(f"{render.folder}/twin.webp").is_file():
        faces.append(Face(address(atlas, render.folder, "twin.webp"), "what a random net draws"))
    return Portrait(title, "", faces)


def said(row: Mapping[Any, Any], parameters: Mapping[str, Any]) -> str:
    """One line below a face: what it reaches of what was asked for, beside the best real image."""
    ratio = row.get("ratio")
    answer = f"{_asked(parameters)} {written(float(row['activation']))}"
    if ratio is not None and float(ratio) == float(ratio):
        answer += f", ×{float(ratio):.1f} the best image"
    return answer if row["state"] == "driven" else f"{answer} · {row['state']}"


def _asked(parameters: Mapping[str, Any]) -> str:
    """What a face's number is of."""
    goal = parameters.get("goal", "channel")
    if goal == "energy":
        return "the layer's energy is"
    if parameters.get("mix"):
        return "the mixture answers"
    return "the neuron answers" if goal == "neuron" else "answers"


def _title(parameters: Mapping[str, Any]) -> str:
    """What was asked for that is not the default, in words."""
    words = []
    for name, field in PortraitParameters.model_fields.items():
        value = parameters.get(name, field.default)
        if name == "mix" or value == field.default:
            continue
        match name:
            case "negative":
                words.append("its opposite")
            case "faces":
                words.append(f"{value} faces")
            case "twin":
                words.append("beside a random net")
            case _:
                words.append(f"{name} {value}")
    if parameters.get("mix"):
        words.append("with " + ", ".join(f"{weight:+g} × {channel}" for channel, weight in parameters["mix"].items()))
    return (", ".join(words) or "once more").capitalize()
