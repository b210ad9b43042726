from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.atlas.library import Library
from tests.atlas.places import PLACES, s3_server


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture(params=PLACES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Library:
    """An empty library in each place one can lie."""
    if request.param == "folder":
        return Library(tmp_path / "my library – ü")
    if request.param == "memory":
        return Library(f"memory://{uuid.uuid4().hex}/my library – ü")
    return Library(f"{request.getfixturevalue('bucket')}/{uuid.uuid4().hex}/my library – ü")
