"""The job table as an engine writes it: what it says may be late; nothing computed is lost for it."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

from analysis.jobs.database import Unreachable
from analysis.jobs.table import Job, Jobs, State

log = logging.getLogger(__name__)
PATIENCE = 30.0
"""Seconds that the end of a job waits for a database that does not answer."""
AGAIN = 0.5


class Ledger:
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._rows: dict[str, Job] = {}

    def write(self, job: Job, **values: Any) -> Job:
        """The job's row after writing; the row as it was last known where the database does not answer now."""
        try:
            self._rows[job.id] = self._jobs.write(job.id, **values)
        except Unreachable as error:
            log.warning("%s", error)
        return self._rows.get(job.id, job)

    def finish(self, job: Job, state: State, error: str | None = None, **values: Any) -> Job:
        """Write a job's end as soon as the database answers; returns the row.

        Where it does not answer for PATIENCE the end is told to who asked, and the row stays as one whose engine was
        lost: the next engine finds everything made, and writes the end.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                row = self._jobs.finish(job.id, state, error, **values)
            except Unreachable as unreachable:
                log.warning("%s", unreachable)
                if time.monotonic() > until:
                    return replace(self._rows.pop(job.id, job), state=state, error=error, **values)
                time.sleep(AGAIN)
            else:
                self._rows.pop(job.id, None)
                return row

    def looked_at(self, atlas_id: str) -> list[str]:
        """The layers on people's screens, the latest first; none where the database does not answer now."""
        try:
            return self._jobs.looked_at(atlas_id)
        except Unreachable:
            return []
