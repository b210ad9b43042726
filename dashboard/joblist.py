"""What screens say of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from analysis.jobs.table import Job
from dashboard.address import link
from dashboard.components.strips import Figure, Strip
from dashboard.state import View

STATES = {"queued": "waiting", "running": "running", "done": "done", "failed": "failed", "cancelled": "cancelled"}


def job_title(job: Job) -> str:
    """What was asked for, in a few words."""
    model = str(job.request.get("model", ""))
    if job.kind == "dream":
        if job.request.get("strip"):
            return f"Dream through five layers of {model}"
        channel = job.request.get("channel")
        return f"Dream with {job.request.get('layer')}{'' if channel is None else f':{channel}'} of {model}"
    if job.kind == "render":
        return f"Pictures of {job.request.get('layer')}:{job.request.get('channel')} in {job.request.get('atlas')}"
    if job.kind == "look":
        what = "an image" if job.request.get("number") is None else f"image {job.request['number']} of the probe"
        return f"A look at {what} with {model}"
    return f"Atlas of {model}"


def job_about(job: Job) -> str:
    """What of it was asked for, where that is less than everything one would think of."""
    request, parts = job.request, []
    if job.kind == "build":
        parts += [", ".join(request.get("techniques") or ())]
        layers, channels = request.get("layers"), request.get("channels")
        parts += [f"{len(layers)} layers" if len(layers) > 1 else layers[0]] if layers else []
        parts += [f"{len(channels)} channels each"] if channels else []
    return " · ".join(part for part in parts if part)


def place_of(job: Job) -> tuple[str | None, View]:
    """The page that shows what the job makes; None where there is none yet."""
    if job.kind == "dream":
        return "dream", View(job=job.id)
    if job.kind == "look":
        number, file = job.request.get("number"), str(job.request.get("image"))
        image = f"upload/{PurePath(file).name}" if number is None else f"probe/{number}"
        return "image", View(atlas=str(job.request.get("atlas") or job.request.get("model")), image=image)
    atlas = job.result.get("atlas")
    if job.kind == "render" and atlas:
        return "channel", View(str(atlas), layer=str(job.request["layer"]), channel=int(job.request["channel"]))
    return ("overview", View(atlas=str(atlas))) if atlas else (None, View())


def unfinished(newest_first: Sequence[Job]) -> list[Job]:
    """The failed and cancelled jobs whose request nobody has filed again since."""
    found: list[Job] = []
    filed: list[tuple[str, Mapping[str, Any]]] = []
    for job in newest_first:
        asked = (job.kind, job.request)
        if job.state in ("failed", "cancelled") and asked not in filed:
            found.append(job)
        filed.append(asked)
    return found


def left(job: Job) -> str:
    """How far it is and how long it will take."""
    if job.state == "queued":
        return "Waiting for the engine"
    figures = job.progress
    parts = [f"{job.done} of {job.total} pieces"] if job.kind == "build" and job.total else []
    parts += [job.note] if job.note else []
    if job.pictured and figures.get("channels"):
        parts.append(f"{figures.get('layers_done', 0)} of {figures['layers']} layers complete")
        parts.append(f"{figures.get('channels_done', 0):,} of {figures['channels']:,} channels drawn")
    if figures.get("seconds_left") is not None:
        parts.append(f"about {span(float(figures['seconds_left']))} left")
    return " · ".join(parts) or "Running"


def span(seconds: float) -> str:
    """A duration for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def job_strip(job: Job) -> Strip:
    """A job that has ended, as a row."""
    page, place = place_of(job)
    took = ""
    if job.started and job.finished:
        took = span((datetime.fromisoformat(job.finished) - datetime.fromisoformat(job.started)).total_seconds())
    figures = [
        Figure("took", took or "–"),
        Figure("asked for", ago(job.created)),
        Figure("", STATES[job.state], alarm=job.state == "failed"),
    ]
    return Strip(job.id, link(page or "jobs", place), job_title(job), job.error or job_about(job), [], figures)


def ago(moment: str) -> str:
    return f"{span(max(0.0, (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()))} ago"
