"""A technique's parameters as widgets, from its own description of them."""

from __future__ import annotations

import math
import typing
from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo


def parameters_form(model: type[BaseModel], names: Sequence[str], key: str) -> dict[str, Any]:
    """One widget a named field; returns what differs from the defaults."""
    chosen = {name: _widget(name, model.model_fields[name], f"{key}-{name}") for name in names}
    return {name: value for name, value in chosen.items() if value != model.model_fields[name].default}


def _widget(name: str, field: FieldInfo, key: str) -> Any:
    low, high = bounds(field)
    label, about = name.replace("_", " ").capitalize(), field.description
    if field.annotation is bool:
        return st.checkbox(label, field.default, help=about, key=key)
    if typing.get_origin(field.annotation) is Literal:
        choices = typing.get_args(field.annotation)
        return st.selectbox(label, choices, choices.index(field.default), help=about, key=key)
    if _is_integer(field):
        least, most = (None if limit is None else int(limit) for limit in (low, high))
        hint = "automatic" if field.default is None else None
        return st.number_input(label, least, most, field.default, 1, help=about, key=key, placeholder=hint)
    if low is None or high is None:
        return st.number_input(label, low, high, field.default, help=about, key=key, format="%.4g")
    if field.default is None:
        return st.number_input(label, low, high, None, help=about, key=key, format="%.4g", placeholder="automatic")
    step = 10.0 ** math.floor(math.log10((high - low) / 200))
    return st.slider(label, low, high, float(field.default), step=step, help=about, key=key, format="%.4g")


def bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """The least and greatest value that a field allows; None where there is none."""
    low = high = None
    for rule in field.metadata:
        low = getattr(rule, "ge", getattr(rule, "gt", low))
        high = getattr(rule, "le", getattr(rule, "lt", high))
    return (None if low is None else float(low), None if high is None else float(high))


def _is_integer(field: FieldInfo) -> bool:
    kinds = typing.get_args(field.annotation) or (field.annotation,)
    return int in kinds
