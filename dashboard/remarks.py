"""What people said of a channel, and a form to say something."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from analysis.atlas.atlas import Atlas
from analysis.atlas.notes import LONGEST, Note, add_note, notes_about
from analysis.errors import StrataError
from analysis.models.layers import ConvLayer
from dashboard.frame import plain

VERDICTS = {"": "no verdict", "good": "good", "doubtful": "doubtful", "wrong": "wrong"}
COLOURS = {"good": "green", "doubtful": "orange", "wrong": "red"}
WHO = "note-by"


def remarks(atlas: Atlas, layer: ConvLayer, channel: int) -> None:
    """Behind one button, so that it is at hand wherever it is put."""
    notes = notes_about(atlas, layer.name, channel)
    label = f"Notes · {len(notes)}" if notes else "Notes"
    with st.popover(label, icon=":material/edit_note:", key=f"notes-{atlas.id}-{layer.name}-{channel}"):
        for note in notes:
            _note(note)
        _say_something(atlas, layer, channel)


def _say_something(atlas: Atlas, layer: ConvLayer, channel: int) -> None:
    with st.form(f"note-{layer.name}-{channel}", clear_on_submit=True, border=False):
        text = st.text_area("What do you see?", max_chars=LONGEST, height=80)
        verdict = st.segmented_control("Verdict", list(VERDICTS), default="", format_func=VERDICTS.__getitem__)
        who = st.text_input("Your name", st.session_state.get(WHO, ""), max_chars=80)
        if not st.form_submit_button("Keep it", icon=":material/edit_note:"):
            return
    st.session_state[WHO] = who
    try:
        add_note(atlas, layer.name, channel, who, text, verdict or "")
    except StrataError as error:
        st.warning(plain(str(error)), icon=":material/edit_off:")
        return
    st.rerun()


def _note(note: Note) -> None:
    verdict = f":{COLOURS[note.verdict]}-badge[{note.verdict}] " if note.verdict else ""
    when = f"{datetime.fromisoformat(note.when):%-d %b %Y, %H:%M} UTC"
    st.markdown(f"{verdict}{plain(note.text)}")
    st.caption(plain(f"{note.who}, {when}" if note.who else when))
