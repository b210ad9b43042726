"""Jobs and the store, measured: kills, speed-up, scheduling, opening → a section of docs/benchmarks.md.

`make bench-jobs`, on a machine that does nothing else: these are times by the clock. `--only kills,speed,…` runs less
and prints; `--kills 5` kills less often.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import jobs_kills, jobs_open, jobs_speed
from benchmarks.report import machine, spread, table, write_section
from benchmarks.setting import IMAGES, SQUEEZENET, default_model
from tests.tiny import tiny_images

Row = list[str]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", default=",".join(MEASURES), help="kills,speed,open,first")
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--steps", type=int, default=32, help="of each picture, where workers are compared")
    given = options.parse_args()
    rows = [row for name in given.only.split(",") for row in MEASURES[name](given)]
    body = table(("what", "measured", "promised"), rows)
    if given.only == options.get_default("only"):
        write_section("jobs", f"## Jobs and the store\n\n`make bench-jobs`. {machine()}, by the clock.\n\n{body}")
    else:
        print(body)


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
    with tempfile.TemporaryDirectory() as folder:
        images = tiny_images(Path(folder) / "images", 32)
        one, two = (jobs_speed.build(default_model(), images, workers, given.steps) for workers in (1, 2))
    gpus, (_card, _probe, tasks) = jobs_speed.GPUS, jobs_speed.resnet50()
    busy = jobs_speed.simulate(tasks, jobs_speed.durations(two.runs))
    return [
        [f"{len(one.runs)} tasks of pictures: one worker", f"{one.span:.1f} s", ""],
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


def _first(_given: argparse.Namespace) -> list[Row]:
    if not SQUEEZENET.exists():
        return [["first useful screen of SqueezeNet, 1,000 images", "not measured: no such model here", "≤ 60 s"]]
    took = [jobs_open.first_screen(SQUEEZENET, str(IMAGES)) for _ in range(1)]
    return [["first useful screen of SqueezeNet, 1,000 images", f"{statistics.median(took):.0f} s", "≤ 60 s"]]


MEASURES: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
    "kills": _kills,
    "speed": _speed,
    "open": _open,
    "first": _first,
}

if __name__ == "__main__":
    main()
