"""Jobs: what is being made, what was made, what went wrong."""

from __future__ import annotations

import streamlit as st

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
        what_happened(past)


def what_happened(past: list[Job]) -> None:
    """The log of the one that the address names, or a person chooses."""
    titles = {job.id: f"{job_title(job)}, {ago(job.created)}" for job in past}
    named = view().job
    chosen = st.selectbox(
        "What happened in",
        list(titles),
        index=list(titles).index(named) if named in titles else None,
        format_func=lambda each: titles.get(each, each),
        key="log-of",
    )
    if chosen and chosen != named:
        st.query_params["job"] = chosen
    for job in past:
        if job.id == chosen:
            tell(job)


st.fragment(listing, run_every=2)()
