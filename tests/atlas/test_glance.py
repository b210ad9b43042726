"""What was seen a moment ago is believed only by those who say so, and not for long."""

import pytest

from analysis.atlas import glance as glances
from analysis.atlas.atlas import Atlas
from analysis.atlas.glance import believe, forget, glance
from analysis.atlas.library import Library
from tests.atlas.built import PICTURES, built


@pytest.fixture(autouse=True)
def doubting():
    yield
    believe(0)


def test_nobody_believes_unless_told_to():
    answers = iter(range(9))
    assert [glance("it", lambda: next(answers)) for _ in range(3)] == [0, 1, 2]


def test_what_was_seen_is_believed_for_so_long(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(glances.time, "monotonic", lambda: now[0])
    believe(1.0)
    answers = iter(range(9))

    def look():
        return glance("it", lambda: next(answers))

    assert [look(), look()] == [0, 0]
    now[0] += 1.1
    assert look() == 1
    forget()
    assert look() == 2
    assert glance("another", lambda: "seen") == "seen"


def test_an_atlas_that_grows_is_seen_a_moment_later(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(glances.time, "monotonic", lambda: now[0])
    atlas = built(Library(tmp_path / "shelf"), tmp_path)
    believe(1.0)
    done = sum(each.done for each in atlas.progress())
    (atlas.artifacts.read(PICTURES[0]).folder / "task.json").unlink()  # as if it were not made yet
    assert sum(each.done for each in Atlas(atlas.root).progress()) == done
    now[0] += 1.1
    assert sum(each.done for each in atlas.progress()) == done - 1
