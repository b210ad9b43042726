"""deploy/ held against itself and the commands that it runs; there is no Docker daemon where these tests run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from distributed.cli.dask_scheduler import main as dask_scheduler
from distributed.cli.dask_worker import main as dask_worker

from analysis.cli import app

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes.yaml").read_text())
DASK: dict[str, Any] = {"scheduler": dask_scheduler, "worker": dask_worker}


def mounted(service: str) -> dict[str, str]:
    """Where in a container → what of the host, with the defaults of variables."""
    mounts = (re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume) for volume in COMPOSE["services"][service]["volumes"])
    return {parts[1]: parts[0] for parts in (mount.split(":") for mount in mounts)}


def commands() -> Iterator[list[str]]:
    """Every call of strata and dask in deploy/, as words."""
    for block in re.findall(r"```\n(.*?)```", (DEPLOY / "README.md").read_text(), re.DOTALL):
        for line in re.findall(r"\b((?:strata|dask) (?:worker|serve|build|scheduler)\b[^&\n']*)", block):
            yield shlex.split(line.replace("$(cat $HOME/strata.address)", "tcp://scheduler:8786"), comments=True)
    for service in COMPOSE["services"].values():
        if service.get("image") == "strata":
            yield [*service.get("entrypoint", ["strata"]), *service.get("command", [])]
    spec = KUBERNETES["spec"]
    for pod in (spec["worker"]["spec"], spec["scheduler"]["spec"]):
        for container in pod["containers"]:
            yield [*container["command"], *container["args"]]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_is_there_with_its_options(words: list[str]) -> None:
    program, name, *rest = words
    strata: Any = typer.main.get_command(app)
    command = strata.commands[name] if program == "strata" else DASK[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in rest if word.startswith("--")} <= known


def test_who_runs_in_the_image_may_write_into_a_fresh_volume() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    before = lines[: lines.index("USER strata")]
    volumes = {where for where, what in mounted("strata").items() if what in COMPOSE["volumes"]}
    assert volumes == {"/library"}
    assert all(f"RUN install -d -o strata -g strata {where}" in before for where in volumes)


def test_models_and_images_lie_where_the_documents_say() -> None:
    assert (DEPLOY / mounted("strata")["/data"]).resolve() == ROOT / "data"
    assert "its `data/`" in (DEPLOY / "README.md").read_text()
