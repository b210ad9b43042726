"""Jobs: what is being made, what was made, what went wrong."""

from __future__ import annotations

import streamlit as st

from analysis.errors import StrataError
from analysis.jobs.table import Job
from dashboard.components.strips import strips
from dashboard.frame import go, heading, plain, view
from dashboard.joblist import STATES, ago, job_about, job_strip, job_title, left, place_of, unfinished
from dashboard.joblog import asked, log_of
from dashboard.library import file_job, jobs
from dashboard.pictures import Sheets

heading("Jobs", "Long work runs beside the dashboard and goes on when the browser is closed.")


def cancel(job_id: str) -> None:
    jobs().cancel(job_id)


def run_again(job: Job) -> None:
    """File the same request again."""
    file_job(job.kind, job.request)


def open_link(job: Job) -> None:
    page, place = place_of(job)
    if page:
        st.page_link(f"views/{page}.py", label="Open", icon=":material/arrow_forward:", query_params=place.to_query())


def broken_off(job: Job) -> None:
    """A job that failed or was cancelled: what happened, and a way to have it done after all."""
    with st.container(border=True, key=f"job-{job.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            when = f"{STATES[job.state]} {ago(job.finished or job.created)}"
            st.markdown(f"**{plain(job_title(job))}** · {when}", width="stretch")
            open_link(job)
            st.button("Run again", icon=":material/replay:", key=f"again-{job.id}", on_click=run_again, args=(job,))
        if job.error:
            st.caption(plain(job.error))
        log(job)


def running(job: Job) -> None:
    with st.container(border=True, key=f"job-{job.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(job_title(job))}**", width="stretch")
            open_link(job)
            stopping = job.cancel and not job.ended
            label = "Stopping…" if stopping else "Cancel"
            st.button(label, key=f"cancel-{job.id}", on_click=cancel, args=(job.id,), disabled=stopping)
        if about := job_about(job):
            st.caption(plain(about))
        share = job.done / job.total if job.total else 0.0
        st.progress(min(1.0, share), text=plain(left(job)))
        log(job)


def log(job: Job) -> None:
    with st.expander("Log", icon=":material/receipt_long:"):
        tell(job)


def tell(job: Job) -> None:
    """What was asked for, and what happened since."""
    st.caption("  \n".join(f"{plain(name)}: {plain(value)}" for name, value in asked(job)))
    for entry in log_of(job):
        st.markdown(f"{f'**{plain(entry.when)}** ' if entry.when else ''}{plain(entry.what)}")


def listing() -> None:
    recent = jobs().recent(60)
    named = named_by_the_address(recent)
    active = [job for job in recent if not job.ended]
    for job in active:
        running(job)
    for job in unfinished(recent):
        broken_off(job)
    past = [job for job in recent if job.ended and job not in unfinished(recent)]
    if not recent:
        st.info(
            "Nothing has been asked for yet. Start a dream, or a build on the command line.", icon=":material/list_alt:"
        )
    if past:
        st.subheader("Before", anchor=False)
        opened = strips([job_strip(job) for job in past], Sheets(), key="past-jobs", figure=96)
        for job in past:
            if job.id == opened:
                page, place = place_of(job)
                if page:
                    go(page, place)
    if named and named not in recent:
        past.append(named)
    if past:
        what_happened({job.id: job for job in past}, named)


def named_by_the_address(recent: list[Job]) -> Job | None:
    """Also one of long ago. One that is not there is told."""
    name = view().job
    known = next((job for job in recent if job.id == name), None)
    if known or not name:
        return known
    try:
        return jobs().get(name)
    except StrataError as error:
        st.warning(plain(str(error)), icon=":material/explore_off:")
        return None


def what_happened(past: dict[str, Job], named: Job | None) -> None:
    """The log of the one that the address names; a person's choice goes there."""
    shown = named.id if named and named.id in past else None
    if st.session_state.get("log-of") != shown:
        st.session_state["log-of"] = shown
    st.selectbox(
        "What happened in",
        list(past),
        index=None,
        format_func=lambda name: f"{job_title(past[name])}, {ago(past[name].created)}" if name in past else name,
        key="log-of",
        on_change=choose_log,
    )
    if shown:
        tell(past[shown])


def choose_log() -> None:
    if st.session_state["log-of"]:
        st.query_params["job"] = st.session_state["log-of"]
    else:
        st.query_params.pop("job", None)


st.fragment(listing, run_every=2)()
