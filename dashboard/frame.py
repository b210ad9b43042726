"""What every page shares: the mark, the title line with the way back, the style sheet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

import streamlit as st

from dashboard.address import link
from dashboard.components.history import instead
from dashboard.state import View

_STATIC = Path(__file__).with_name("static")
MARK = str(_STATIC / "mark.svg")


HEADED = "headed"
"""Where it is remembered that this run of the page has its title."""


def style() -> None:
    st.session_state[HEADED] = False
    st.logo(str(_STATIC / "logo-dark.svg" if is_dark() else _STATIC / "logo.svg"), size="large")
    st.html(_STATIC / "strata.css")


def astray(known: Collection[str]) -> list[str]:
    """The names of pages that this browser asked for and that there are not, so that Strata says so in its own words.

    They are remembered, as Back may lead to them again.
    """
    path = urlparse(st.context.url or "").path.strip("/")
    name = path.removeprefix(str(st.get_option("server.baseUrlPath") or "").strip("/")).strip("/")
    asked = st.session_state.setdefault("astray", [])
    if name and "/" not in name and name not in {*known, *asked}:
        asked.append(name)
    return list(asked)


def is_dark() -> bool:
    return st.context.theme.type == "dark"


def view() -> View:
    """The view of this page's address. Raises StrataError for a value that is not of its kind."""
    return View.from_query(st.query_params.to_dict())


@dataclass(frozen=True)
class Way:
    """A link to another place: in the line of the way here, or beside the title."""

    label: str
    page: str
    place: View
    icon: str = ""
    help: str | None = None


def is_headed() -> bool:
    """Whether the page has its title by now."""
    return bool(st.session_state.get(HEADED))


def heading(
    title: str,
    about: str = "",
    crumbs: Sequence[Way] | None = None,
    beside: Sequence[Way] = (),
    more: Callable[[], None] | None = None,
    help: str | None = None,
) -> None:
    """The way here as links, the title, one line about it; at the right where one can go from here.

    more : draws what else is to be at hand there · help: what the words of that line mean, behind a sign
    """
    st.session_state[HEADED] = True
    if crumbs is not None:
        with st.container(horizontal=True, gap="small", key="crumbs"):
            _links([Way("Library", "library", View()), *crumbs])
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", gap="large"):
        with st.container(key="heading", gap=None):
            st.title(plain(title), anchor=False)
            if about:
                st.caption(plain(about), help=help)
        if beside or more is not None:
            with st.container(horizontal=True, horizontal_alignment="right", width="content", key="beside"):
                _links(beside)
                if more is not None:
                    more()


def _links(ways: Sequence[Way]) -> None:
    for way in ways:
        st.page_link(
            f"views/{way.page}.py",
            label=plain(way.label),
            icon=way.icon,
            query_params=way.place.to_query(),
            help=way.help,
        )


def go(page: str, place: View, replace: bool = False) -> None:
    """Leave for another place. replace: nobody chose to; this page only leads on, and Back does not return to it."""
    if replace:
        instead(link(page, place))
        st.stop()
    st.switch_page(f"views/{page}.py", query_params=place.to_query())


PLACE = ("atlas", "other", "layer", "channel", "image", "job")
"""What of a view says where one is; the rest says how it looks there."""


def remember(new: View, moved: Collection[str] = ()) -> None:
    """Put a view of this page into the address, touching only what differs. moved: what of the place this page changes.

    Where the address is another place's by now, nothing is done: the timer of a page that is being left may overtake
    the page that comes, and Streamlit then calls what belongs to the page that was left.
    """
    now = view()
    if any(getattr(new, name) != getattr(now, name) for name in PLACE if name not in moved):
        return
    wanted = new.to_query()
    if wanted != st.query_params.to_dict():
        st.query_params.from_dict(wanted)


def plain(text: str) -> str:
    """A name as it is: Streamlit's labels are Markdown, and a layer's or a file's name is not."""
    for sign in "\\`*_[]()<>#:$~|":
        text = text.replace(sign, "\\" + sign)
    return text
