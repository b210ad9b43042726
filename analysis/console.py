"""What the command line prints: tables, a progress bar, errors."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from analysis.comparison.compare import MODEL_COLUMNS
from analysis.findings.finding import NAMES, Finding, Missing
from analysis.jobs.table import Job
from analysis.models.input_spec import InputSpec
from analysis.models.model import ModelCard
from analysis.probe.probe import ProbeCard

out = Console(highlight=False)
TELLING = ("layer_a", "layer_b", "mean_shift", "peak_ratio", "zeros_a", "zeros_b", "dead_a", "dead_b")
"""Columns of a comparison that are printed unasked: those of the dashboard's page."""
LINE_EVERY = 5.0
"""Seconds between two lines of progress in a log."""
err = Console(stderr=True, highlight=False, soft_wrap=True)


def _print_input(spec: InputSpec) -> None:
    """What the net expects to see, and how that is known: fields that share a reason on one line."""
    out.print(
        f"  input {spec.channels}×{spec.height}×{spec.width} {spec.order}, range {_pair(spec.range)}, "
        f"mean {_numbers(spec.mean)}, std {_numbers(spec.std)}",
        soft_wrap=True,
    )
    reasons: dict[str, list[str]] = {}
    for field, reason in spec.evidence.items():
        reasons.setdefault(reason, []).append(field.replace("any_size", "any size"))
    for reason, fields in reasons.items():
        out.print(f"    {', '.join(fields)}: {escape(reason)}", soft_wrap=True)


def print_model(card: ModelCard) -> None:
    """A model's facts and its conv layers as a table."""
    out.print(
        f"[bold]{escape(card.name)}[/bold]  {card.format}, architecture {escape(card.computes)}",
        soft_wrap=True,
    )
    if card.evidence:
        out.print(f"  {escape(card.evidence)}", soft_wrap=True)
    if not card.weights_only:
        _print_input(card.input)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("layer", "kind", "channels", "kernel", "stride", "receptive field", "parameters"):
        table.add_column(heading, justify="left" if heading in ("layer", "kind") else "right", no_wrap=True)
    for layer in card.layers:
        table.add_row(
            escape(layer.name),
            layer.kind,
            f"{layer.in_channels} → {layer.out_channels}",
            _times(layer.kernel_size),
            _times(layer.stride),
            _times(layer.receptive_field) if layer.receptive_field else "–",
            f"{layer.parameters:,}",
        )
    _print_wide(table)
    channels = sum(layer.out_channels for layer in card.layers)
    out.print(f"{len(card.layers)} conv layers, {channels:,} channels, id {card.id}", soft_wrap=True)
    for warning in card.warnings:
        err.print(f"[yellow]note[/yellow] {escape(warning)}")


def print_skipped(probe: ProbeCard, most: int = 10) -> None:
    """Which images could not be read, and why."""
    if probe.skipped:
        err.print(f"[yellow]note[/yellow] images that could not be read and were left out: {len(probe.skipped)}")
        for name, reason in probe.skipped[:most]:
            err.print(f"  {escape(name)}: {escape(reason)}")
        if len(probe.skipped) > most:
            err.print(f"  and {len(probe.skipped) - most} more; atlas.json names them all")


def print_table(table: pd.DataFrame) -> None:
    """Any table, numbers to three significant digits."""
    printed = Table(box=None, pad_edge=False, header_style="bold")
    for name in table.columns:
        numeric = pd.api.types.is_numeric_dtype(table[name])
        printed.add_column(str(name).replace("_", " "), justify="right" if numeric else "left", no_wrap=True)
    for row in table.itertuples(index=False):
        printed.add_row(*(_cell(value) for value in row))
    _print_wide(printed)


def print_comparison(table: pd.DataFrame, every: bool = False) -> None:
    """Two models side by side; below, as a note and so no part of the table, what each column says."""
    shown = table if every else table[list(TELLING)]
    print_table(shown)
    for name in map(str, shown):
        err.print(f"[dim]{name.replace('_', ' ')}: {MODEL_COLUMNS[name]}[/]")


def print_findings(findings: Sequence[Finding], unjudged: Sequence[Missing], most: int = 8) -> None:
    """What looks wrong, a paragraph each, and what could not be judged."""
    for finding in findings:
        colour = {"high": "red", "medium": "yellow", "low": "blue"}[finding.severity]
        severity = NAMES[finding.severity]
        out.print(f"[bold {colour}]{severity:8}[/] [bold]{escape(finding.title)}[/]", soft_wrap=True)
        figures = " · ".join(f"{name} {value}" for name, value in finding.evidence.items())
        rest = f" and {len(finding.units) - most} more" if len(finding.units) > most else ""
        lines = {
            "seen": figures,
            "units": ", ".join(finding.units[:most]) + rest,
            "else": finding.null,
            "cure": finding.cure,
        }
        for name, text in lines.items():
            if text:
                out.print(f"         [dim]{name:6}[/]{escape(text)}", soft_wrap=True)
    if not findings:
        out.print("Nothing looks wrong.")
    for each in unjudged:
        out.print(f"[dim]not judged: {escape(each.title)}: {escape(each.needs)}[/]", soft_wrap=True)


def _print_wide(table: Table) -> None:
    """A row is one line whatever the terminal's width: piped into a file or grep, nothing may be cut off."""
    width = max(out.width, Console(width=10_000).measure(table).maximum)
    Console(highlight=False, width=width).print(table, crop=False)


@contextmanager
def watching() -> Iterator[Callable[[Job], None]]:
    """Gives a function that shows a job's row on a progress bar; in a log, as a line every few seconds."""
    columns = (BarColumn(bar_width=24), TextColumn("{task.fields[figures]}"), TextColumn("[dim]{task.description}"))
    if not err.is_terminal:
        yield _lines()
        return
    with Progress(*columns, console=err) as progress:
        bar = progress.add_task("starting", total=None, figures="")

        def show(job: Job) -> None:
            known: dict[str, Any] = {"completed": job.done, "total": job.total or None}
            progress.update(bar, description=escape(job.note or job.state), figures=how_far(job), **known)

        yield show


def _lines() -> Callable[[Job], None]:
    told = 0.0

    def show(job: Job) -> None:
        nonlocal told
        if job.ended or time.monotonic() - told > LINE_EVERY:
            told = time.monotonic()
            parts = (
                f"{job.done}/{job.total}" if job.total else "",
                how_far(job),
                job.state if job.ended else job.note,
            )
            print(" · ".join(part for part in parts if part), file=sys.stderr, flush=True)

    return show


def how_far(job: Job) -> str:
    """`3/26 layers · 480/3000 channels · 2 min 5 s left`; layers and channels once there are pictures of some."""
    figures = [
        f"{job.progress[things + '_done']}/{job.progress[things]} {things}"
        for things in ("layers", "channels")
        if job.pictured and job.progress.get(things)
    ]
    seconds = job.progress.get("seconds_left")
    if seconds is not None and not job.ended:
        figures.append(f"{_duration(seconds)} left")
    return " · ".join(figures)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.3g}"
    return escape(str(value))


def _times(numbers: tuple[int, ...]) -> str:
    return "×".join(str(number) for number in numbers)


def _pair(numbers: tuple[float, float]) -> str:
    return f"{numbers[0]:g} … {numbers[1]:g}"


def _numbers(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{number:.4g}" for number in numbers)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
