"""A visitor of the dashboard without a browser: it speaks Streamlit's own protocol, asks for pages, reads them whole.

A browser takes more of a machine than the server that it looks at; twenty of them on the server's own cores measure
themselves. What a visitor here asks for is what a browser's page change asks for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PATIENCE = 30.0
"""Seconds that a page may take before the visitor gives up."""


class Unanswered(Exception):
    """A page that did not come, or came as a failure."""


@dataclass(frozen=True)
class Page:
    """seconds : from the asking until the last of it was there
    size    : bytes that it was sent as
    """

    seconds: float
    size: int


class Visitor:
    """One session: `with Visitor(site) as visitor: visitor.look("layer", atlas="wide", layer="…")`."""

    def __init__(self, site: str) -> None:
        self._address = site.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket: Any = None

    def __enter__(self) -> Self:
        from websockets.sync.client import connect

        self._socket = connect(self._address, subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE)  # type: ignore[list-item]
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def look(self, page: str, **view: Any) -> Page:
        """Raises Unanswered."""
        asked = BackMsg()
        asked.rerun_script.query_string = urlencode(view)
        asked.rerun_script.page_name = page
        began, size = time.perf_counter(), 0
        self._socket.send(asked.SerializeToString())
        while True:
            try:
                content = self._socket.recv(timeout=PATIENCE)
            except TimeoutError:
                raise Unanswered(f"{page} did not come within {PATIENCE:.0f} s") from None
            size += len(content)
            message = ForwardMsg.FromString(content)
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                raise Unanswered(f"{page}: {message.delta.new_element.exception.message}")
            if kind == "page_not_found":
                raise Unanswered(f"there is no page {page}")
            if kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return Page(time.perf_counter() - began, size)
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise Unanswered(f"{page} does not run")
