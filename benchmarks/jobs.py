"""Jobs and the store, measured: kills, speed-up, scheduling, opening → sections of docs/benchmarks.md.

`make bench-jobs`: all but the kills are times by the clock, for a machine that does nothing else. Each part writes its
own section as soon as it is measured; `--only kills,speed,…` runs fewer, `--kills 5` kills less often, `--print` writes
nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.jobs.request import EVERYTHING
from benchmarks import jobs_kills, jobs_open, jobs_speed
from benchmarks.report import cpu, spread, table, write_section
from benchmarks.setting import IMAGES, SQUEEZENET, default_model
from tests.tiny import tiny_images

Row = list[str]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", default=",".join(MEASURES), help="kills,speed,open,whole")
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--steps", type=int, default=32, help="of each picture, where workers are compared")
    options.add_argument("--keep", help="a folder in which the atlas of `whole` stays")
    options.add_argument("--print", action="store_true", help="write no section")
    given = options.parse_args()
    for name in given.only.split(","):
        report(name, MEASURES[name](given), given.print)


def report(name: str, rows: Sequence[Row], print_only: bool = False) -> None:
    body = table(("what", "measured", "promised"), rows)
    method = f"`python -m benchmarks.jobs --only {name}`: {HOW[name]}"
    if print_only:
        print(body)
    else:
        write_section(f"jobs-{name}", f"## {TITLES[name]}\n\n{method}\n\n{body}")


def _kills(given: argparse.Namespace) -> list[Row]:
    found = jobs_kills.measure(given.kills)
    kinds = ", ".join(f"{count} × {kind}" for kind, count in sorted(found.killed.items()))
    return [
        [f"SIGKILL: {kinds}, in {found.builds} builds of {found.tasks} tasks", "", ""],
        ["files as in the undisturbed build, byte for byte", f"{found.same} of {found.files}", "all"],
        ["damaged or missing", str(found.damaged), "0"],
        ["tasks begun again after their artifact was kept", str(found.twice), "0"],
        ["tasks in flight at a kill, begun again", str(found.in_flight), ""],
        ["builds asked for again: chance hit one task's worker twice", str(found.again), ""],
    ]


def _speed(given: argparse.Namespace) -> list[Row]:
    pictures = {"features": {"steps": given.steps}}
    with tempfile.TemporaryDirectory() as folder:
        images = tiny_images(Path(folder) / "images", 32)
        one, two = (jobs_speed.build(default_model(), images, workers, pictures) for workers in (1, 2))
        # what each technique's tasks take, on real images where there are any
        everything: dict[str, dict[str, int]] = {name: {} for name in EVERYTHING} | pictures
        real, options = (IMAGES, {"count": 256}) if IMAGES.exists() else (images, {})
        mixed = jobs_speed.build(default_model(), real, 2, everything, image_options=options)
    gpus, (_card, _probe, tasks) = jobs_speed.GPUS, jobs_speed.resnet50()
    busy = jobs_speed.simulate(tasks, jobs_speed.durations(mixed.runs))
    return [
        [f"{one.pictures} tasks of pictures: one worker", f"{one.span:.1f} s", ""],
        ["two workers against one", f"{one.span / two.span:.2f} ×", "≥ 1.85 ×"],
        ["one worker's time that no task had (scheduling)", f"{100 * one.idle:.1f} %", "≤ 3 %"],
        [
            f"ResNet-50's {len(tasks):,} tasks on {gpus} GPUs, simulated: busy",
            f"{100 * busy:.0f} %",
            "≥ 90 %",
        ],
    ]


def _open(_given: argparse.Namespace) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        card, probe, tasks = jobs_speed.resnet50()
        jobs_open.synthetic(Path(folder), card, probe, tasks)
        channels = sum(layer.out_channels for layer in card.layers)
        took = jobs_open.opening(Path(folder))
    return [[f"an atlas of {channels:,} channels, opened by a new process", f"{spread(took, '.2f')} s", "< 1 s"]]


def _whole(given: argparse.Namespace) -> list[Row]:
    if not SQUEEZENET.exists():
        return [["first useful screen of SqueezeNet, 1,000 images", "not measured: no such model here", "≤ 60 s"]]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(given.keep or folder) / "library"
        took = jobs_open.milestones(SQUEEZENET, str(IMAGES), root)
    missing = "not reached"

    def told(name: str) -> str:
        seconds = took.get(name)
        return missing if seconds is None else f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"

    return [
        ["statistics of every layer, exemplars of the first three", told(jobs_open.SCREEN), "≤ 60 s"],
        ["a sketch of every channel and class", told(jobs_open.SKETCHES), ""],
        ["every picture in fine quality", told(jobs_open.PICTURES), "≤ 20 min"],
        ["the whole atlas", told(jobs_open.WHOLE), ""],
    ]


TITLES = {
    "kills": "Killed at random moments",
    "speed": "How well workers are used",
    "open": "A large atlas, opened",
    "whole": "SqueezeNet 1.1 with 1,000 images, from nothing",
}
HOW = {
    "kills": "SIGKILL to a worker, the engine or the dashboard of a `strata serve` with two workers, most while "
    "tasks run; then all files against those of an undisturbed build.",
    "speed": f"{cpu()}, by the clock; a machine that does nothing else.",
    "open": f"{cpu()}, by the clock; median (least … most) of 5 new processes.",
    "whole": f"{cpu()}, two workers, by the clock from the start of `strata build`.",
}
MEASURES: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
    "kills": _kills,
    "speed": _speed,
    "open": _open,
    "whole": _whole,
}

if __name__ == "__main__":
    main()
