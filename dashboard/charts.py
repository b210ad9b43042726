"""Plots, in Strata's own colours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from dashboard.frame import is_dark
from dashboard.hierarchy import Rung
from dashboard.measures import written

LIGHT, DARK = "#0e6b63", "#2b9a8e"
"""The accent of the themes in .streamlit/config.toml."""
PICKED_LIGHT, PICKED_DARK = "#c8862b", "#e0a458"
"""What is picked, as in the grid."""
GREY = "#8b8f8c"
"""What is beside the point, on either ground."""
ABOUT = (
    "How fine the pictures of each layer are, how colourful, and how much of the input it sees. Nets that learned a "
    "hierarchy go from fine and near to coarse and far; a layer that leaves the line is worth a look."
)


def hierarchy_chart(rungs: Sequence[Rung], twin: Sequence[Rung], key: str) -> str | None:
    """Draw it; returns the layer whose point was clicked in this run. twin: the same of a net with random weights."""
    figure = _hierarchy(tuple(rungs), tuple(twin), DARK if is_dark() else LIGHT)
    plain = {"displayModeBar": False}
    chosen = st.plotly_chart(figure, key=key, on_select="rerun", selection_mode="points", config=plain, alt=ABOUT)
    points = chosen.selection.points if chosen else []
    return str(points[0]["customdata"]) if points else None


@lru_cache(maxsize=64)
def _hierarchy(rungs: tuple[Rung, ...], twin: tuple[Rung, ...], accent: str) -> go.Figure:
    """Remembered: plotly takes as long to put it together as the rest of the page."""
    panels = (
        ("Waves across the input", "waves", ".1f"),
        ("Colour in the pictures", "colour", ".0%"),
        ("Sees of the input", "field", ".0%"),
    )
    names = [rung.layer for rung in rungs]
    figure = make_subplots(1, 3, horizontal_spacing=0.07, subplot_titles=[title for title, _, _ in panels])
    for column, (title, figure_of, form) in enumerate(panels, start=1):
        told = f"%{{text}}<br>{title}: %{{y:{form}}}"
        line = go.Scatter(
            x=list(range(len(names))),
            y=[getattr(rung, figure_of) for rung in rungs],
            mode="lines+markers",
            customdata=names,
            text=[_as_text(name) for name in names],
            line={"color": accent, "width": 2, "shape": "spline", "smoothing": 0.4},
            marker={"size": 8},
            hovertemplate=f"{told}<extra></extra>",
        )
        figure.add_trace(line, 1, column)
        known = {rung.layer: getattr(rung, figure_of) for rung in twin}
        if known and figure_of != "field":  # both see as much
            beside = go.Scatter(
                x=list(range(len(names))),
                y=[known.get(name) for name in names],
                mode="lines",
                customdata=names,
                text=[_as_text(name) for name in names],
                line={"color": GREY, "width": 2, "dash": "dot"},
                hovertemplate=f"{told}, with random weights<extra></extra>",
            )
            figure.add_trace(beside, 1, column)
        figure.update_yaxes(tickformat=form, rangemode="tozero", row=1, col=column)
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False, title_text="first layer → last")
    figure.update_layout(height=230, margin={"l": 8, "r": 8, "t": 32, "b": 8}, showlegend=False)
    return figure


def statistics_chart(
    channels: Sequence[int],
    labels: Sequence[str],
    across: dict[str, Any],
    upward: dict[str, Any],
    picked: Collection[int],
    *,
    key: str,
    on_pick: Callable[[list[int]], None],
) -> None:
    """Two statistics of a layer's channels against each other; above and beside, how each is distributed.

    across, upward : as the grid takes statistics
    on_pick        : called with the channels that a person drew a box or lasso around, none where that was taken back
    """
    accent, amber = (DARK, PICKED_DARK) if is_dark() else (LIGHT, PICKED_LIGHT)
    figure = make_subplots(
        2, 2, column_widths=[0.86, 0.14], row_heights=[0.16, 0.84], horizontal_spacing=0.01, vertical_spacing=0.02,
        shared_xaxes=True, shared_yaxes=True,
    )  # fmt: skip
    x, y = across["values"], upward["values"]
    names = [
        f"{channel}{f' · {label}' if label else ''}<br>{across['title']}: {written(a, across['format'])}"
        f"<br>{upward['title']}: {written(b, upward['format'])}"
        for channel, label, a, b in zip(channels, map(_as_text, labels), x, y, strict=True)
    ]
    marks = {
        "size": [9 if channel in picked else 6 for channel in channels],
        "color": [amber if channel in picked else accent for channel in channels],
        "opacity": [1.0 if channel in picked or not picked else 0.45 for channel in channels],
        "line": {"width": 0},
    }
    plain = {
        "showlegend": False,
        "hoverinfo": "skip",
        "marker": {"color": accent, "opacity": 0.5, "line": {"width": 0}},
    }
    figure.add_trace(go.Histogram(x=x, nbinsx=40, **plain), 1, 1)
    figure.add_trace(go.Histogram(y=y, nbinsy=40, **plain), 2, 2)
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="markers", marker=marks, customdata=list(channels), text=names, showlegend=False,
            hovertemplate="%{text}<extra></extra>", unselected={"marker": {"opacity": 0.35}},
        ),
        2,
        1,
    )  # fmt: skip
    figure.update_xaxes(title_text=across["title"], row=2, col=1, tickformat=_ticks(across))
    figure.update_yaxes(title_text=upward["title"], row=2, col=1, tickformat=_ticks(upward))
    for row, column in ((1, 1), (2, 2)):
        figure.update_xaxes(showticklabels=False, showgrid=False, row=row, col=column)
        figure.update_yaxes(showticklabels=False, showgrid=False, row=row, col=column)
    figure.update_layout(height=400, margin={"l": 8, "r": 8, "t": 8, "b": 8}, bargap=0.05, dragmode="lasso")

    def chosen() -> None:
        points = st.session_state[key].selection.points
        on_pick([int(point["customdata"]) for point in points if "customdata" in point])

    about = f"{upward['title']} of the layer's channels against {across['title']}"
    options = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]}
    st.plotly_chart(
        figure, key=key, on_select=chosen, selection_mode=("points", "box", "lasso"), config=options, alt=about
    )


def _ticks(statistic: dict[str, Any]) -> str:
    return ".0%" if statistic["format"] == "percent" else ""


def _as_text(label: str) -> str:
    """Plotly's texts know a few tags; a label has none."""
    return label.replace("&", "&amp;").replace("<", "&lt;")
