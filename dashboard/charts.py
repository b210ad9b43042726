"""Plots, in Strata's own colours."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from dashboard.frame import is_dark
from dashboard.hierarchy import Rung

LIGHT, DARK = "#0e6b63", "#2b9a8e"
"""The accent of the themes in .streamlit/config.toml."""
ABOUT = (
    "How fine the pictures of each layer are, how colourful, and how much of the input it sees. Nets that learned a "
    "hierarchy go from fine and near to coarse and far; a layer that leaves the line is worth a look."
)


def hierarchy_chart(rungs: Sequence[Rung], key: str) -> str | None:
    """Draw it; returns the layer whose point was clicked in this run."""
    panels = (
        ("Waves across the input", [rung.waves for rung in rungs], ".1f"),
        ("Colour in the pictures", [rung.colour for rung in rungs], ".0%"),
        ("Sees of the input", [rung.field for rung in rungs], ".0%"),
    )
    names = [rung.layer for rung in rungs]
    figure = make_subplots(1, 3, horizontal_spacing=0.07, subplot_titles=[title for title, _, _ in panels])
    for column, (title, values, form) in enumerate(panels, start=1):
        line = go.Scatter(
            x=list(range(len(names))),
            y=values,
            mode="lines+markers",
            customdata=names,
            line={"color": DARK if is_dark() else LIGHT, "width": 2, "shape": "spline", "smoothing": 0.4},
            marker={"size": 8},
            hovertemplate=f"%{{customdata}}<br>{title}: %{{y:{form}}}<extra></extra>",
        )
        figure.add_trace(line, 1, column)
        figure.update_yaxes(tickformat=form, rangemode="tozero", row=1, col=column)
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False, title_text="first layer → last")
    figure.update_layout(height=230, margin={"l": 8, "r": 8, "t": 32, "b": 8}, showlegend=False)
    plain = {"displayModeBar": False}
    chosen = st.plotly_chart(figure, key=key, on_select="rerun", selection_mode="points", config=plain, alt=ABOUT)
    points = chosen.selection.points if chosen else []
    return str(points[0]["customdata"]) if points else None
