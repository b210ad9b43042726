"""Opening a model in the browser: where it may come from, what is refused, what is found out, what is asked for."""

from __future__ import annotations

import hashlib
import io
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from threading import Event

import anyio
import pytest
from starlette.applications import Starlette
from starlette.types import Message

from analysis.atlas.library import Library
from analysis.errors import StrataError
from analysis.jobs.request import BuildRequest
from analysis.jobs.table import Jobs
from analysis.models.errors import ModelError
from analysis.models.model import ModelCard
from dashboard.opening import estimate, making, recognise, streams
from dashboard.opening.allowed import Kind, offered, resolve
from dashboard.opening.sources import count_images, image_set
from dashboard.routes import ROUTES
from sample_models.catalog import SAMPLES
from tests.dashboard.conftest import Open
from tests.dashboard.synthetic import add_atlas, model_card, pattern, png
from tests.dashboard.test_pages import component, words


def put(path: str, pieces: list[bytes], query: str = "name=net.pth", **headers: str) -> tuple[int, str]:
    """(status, body) of an upload that comes in pieces; a last piece of None means that the browser went away."""
    messages: list[Message] = []
    coming = iter([*pieces, b""])

    async def receive() -> Message:
        piece = next(coming)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": piece != b""}

    async def send(message: Message) -> None:
        messages.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "PUT", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    anyio.run(Starlette(routes=ROUTES), scope, receive, send)
    return messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:]).decode()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def uploads(shelf: Library, kind: str) -> list[Path]:
    return sorted(path for path in (shelf.root / "uploads" / kind).rglob("*") if path.is_file())


class TestUploads:
    def test_a_file_arrives_as_it_was_sent(self, own_shelf: Library) -> None:
        status, body = put("/bring/models", [b"abc", b"def"])
        assert status == 200
        path = streams.brought("models", body.split('"')[3])
        assert (path.name, path.read_bytes()) == ("net.pth", b"abcdef")

    @pytest.mark.parametrize("name", ["../../net.pth", "/etc/net.pth", "..", "", ".hidden", "a%2Fb.pth", "%00.pth"])
    def test_no_name_leads_out_of_its_folder(self, own_shelf: Library, name: str) -> None:
        status, _ = put("/bring/models", [b"abc"], f"name={name}")
        assert status == 200
        (path,) = uploads(own_shelf, "models")
        assert path.parent.parent == own_shelf.root / "uploads" / "models"
        assert [path for path in own_shelf.root.parent.rglob("*.pth") if own_shelf.root not in path.parents] == []

    @pytest.mark.parametrize("announced", [True, False])
    def test_what_is_too_large_is_refused_and_leaves_nothing(
        self, own_shelf: Library, monkeypatch: pytest.MonkeyPatch, announced: bool
    ) -> None:
        monkeypatch.setenv("STRATA_LARGEST_UPLOAD", "1000")
        status, said = put("/bring/models", [b"x" * 600] * 2, **({"content_length": "1200"} if announced else {}))
        assert status == 400
        assert "larger than" in said
        assert uploads(own_shelf, "models") == []

    def test_a_browser_that_goes_away_leaves_nothing(self, own_shelf: Library) -> None:
        put("/bring/models", [b"x" * 600, None])  # type: ignore[list-item]
        assert uploads(own_shelf, "models") == []

    def test_another_sites_page_can_not_bring_files(self, own_shelf: Library) -> None:
        status, _ = put("/bring/models", [b"abc"], origin="http://evil.example", host="127.0.0.1:8501")
        assert status == 403
        assert put("/bring/models", [b"abc"], origin="http://127.0.0.1:8501", host="127.0.0.1:8501")[0] == 200

    def test_only_models_and_images_are_taken(self, own_shelf: Library) -> None:
        assert put("/bring/atlases", [b"abc"])[0] == 404

    def test_an_upload_that_is_not_there_is_told(self, own_shelf: Library) -> None:
        for name in ("0123456789abcdef", "..", "../models", ""):
            with pytest.raises(StrataError, match="Bring the file again"):
                streams.brought("models", name)

    def test_a_zip_becomes_a_folder_of_its_images(self, own_shelf: Library) -> None:
        picture = png(pattern(1))
        files = {"set/cat/1.png": picture, "set/dog/2.png": picture, "set/notes.docx": b"x", "../../up.png": picture}
        status, body = put("/bring/images", [zipped(files)], "name=set.zip")
        assert status == 200
        folder = streams.brought("images", body.split('"')[3])
        found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        assert found == ["set/cat/1.png", "set/dog/2.png"]
        assert count_images(folder) == 2
        assert list(own_shelf.root.parent.rglob("up.png")) == []

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (zipped({"a.txt": b"x"}), "no images"),
            (zipped({"a.png": bytes(20_000_000)}), "many times its size"),
            (zipped({"a.png": png(pattern(1))})[:-30] + b"PK\x05\x06" + bytes(18), "no images"),
        ],
        ids=["without images", "bomb", "damaged"],
    )
    def test_a_zip_that_is_no_set_of_images_is_refused(self, own_shelf: Library, content: bytes, said: str) -> None:
        status, body = put("/bring/images", [content], "name=set.zip")
        assert status == 400
        assert said in body
        assert uploads(own_shelf, "images") == []

    def test_a_zip_that_the_disk_has_no_room_for_is_refused(
        self, own_shelf: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = zipped({"a.png": png(pattern(1)) + bytes(20_000)})
        sizes = shutil.disk_usage(own_shelf.root.parent)
        left = sizes._replace(free=streams.SPARE + len(content) + 1000)
        monkeypatch.setattr(shutil, "disk_usage", lambda place: left)
        status, said = put("/bring/images", [content], "name=set.zip")
        assert (status, "no room for the" in said) == (400, True)
        assert uploads(own_shelf, "images") == []

    def test_a_library_in_an_object_store_takes_files_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STRATA_LIBRARY", "memory://far away")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        images = zipped({"a.png": png(pattern(1))})
        brought: list[tuple[Kind, bytes, str]] = [("models", b"abc", "net.pth"), ("images", images, "a.zip")]
        for kind, content, name in brought:
            status, body = put(f"/bring/{kind}", [content], f"name={name}")
            assert (status, kind) == (200, kind)
            assert tmp_path in streams.brought(kind, body.split('"')[3]).parents

    @pytest.mark.parametrize("name", ["sample//etc", "sample/../../etc", "sample/none", "sample/"])
    def test_an_address_opens_no_folder_but_a_samples(self, own_shelf: Library, name: str) -> None:
        (own_shelf.root / "samples").mkdir(parents=True)
        with pytest.raises(StrataError, match="names no images"):
            image_set(name)


class TestAllowedFolders:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "offered"
        (folder / "nets").mkdir(parents=True)
        (folder / "nets" / "a.pth").write_bytes(b"x")
        (folder / "notes.txt").write_bytes(b"x")
        (tmp_path / "secret.pth").write_bytes(b"x")
        (folder / "link.pth").symlink_to(tmp_path / "secret.pth")
        monkeypatch.setenv("STRATA_MODELS", str(folder))
        return folder

    def test_what_lies_below_is_offered_and_found(self, folder: Path) -> None:
        assert "0/nets/a.pth" in offered("models")
        assert "0/notes.txt" not in offered("models")
        assert resolve("0/nets/a.pth", "models") == folder / "nets" / "a.pth"

    @pytest.mark.parametrize(
        "name", ["0/../secret.pth", "0//etc/passwd", "1/nets/a.pth", "-1/x", "0/link.pth", "0/none.pth", "", "0/\0"]
    )
    def test_nothing_else_is(self, folder: Path, name: str) -> None:
        with pytest.raises(StrataError, match="is not among"):
            resolve(name, "models")

    def test_without_an_operators_word_nothing_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("STRATA_MODELS", raising=False)
        assert offered("models") == []


Answer = Callable[[ModelCard | Exception], list[dict[str, object]]]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answer]:
    """Let the guarded process answer with a card, or with an error; returns what it is asked."""
    asked: list[dict[str, object]] = []

    def told(card: ModelCard | Exception) -> list[dict[str, object]]:
        def inspect(path: Path, **options: object) -> ModelCard:
            asked.append({"path": path, **options})
            if isinstance(card, Exception):
                raise card
            return card

        monkeypatch.setattr(recognise, "inspect_guarded", inspect)
        return asked

    recognise._found.clear()
    yield told
    recognise._found.clear()


def settled(future: Future[ModelCard]) -> None:
    while not future.done():
        time.sleep(0.01)


def source(shelf: Library) -> str:
    status, body = put("/bring/models", [b"weights"])
    assert status == 200
    return "upload/" + body.split('"')[3]


def two_images() -> str:
    zipped_images = zipped({"a/1.png": png(pattern(1)), "b/2.png": png(pattern(2))})
    return "upload/" + put("/bring/images", [zipped_images], "name=s.zip")[1].split('"')[3]


class TestThePage:
    def test_the_library_leads_to_it_and_it_offers_the_ways(self, own_shelf: Library, open_page: Open) -> None:
        assert "Open a model" in [link.label for link in open_page("library").page_link]
        app = open_page("open")
        assert not app.exception
        assert component(app, "strata_dropzone")["to"] == "/bring/models"

    def test_samples_are_there_at_once_with_all_that_is_said_of_them(self, own_shelf: Library, open_page: Open) -> None:
        for page in ("open", "library"):  # the library is empty
            offers = component(open_page(page), "strata_shelf")["offers"]
            assert [offer["key"] for offer in offers] == [f"sample/{name}" for name in SAMPLES]
            assert [offer["about"] for offer in offers] == [sample.story for sample in SAMPLES.values()]
            assert all(offer["picture"] for offer in offers)

    def test_what_was_recognised_is_shown_before_anything_is_computed(
        self, own_shelf: Library, open_page: Open, answer: Answer
    ) -> None:
        answer(model_card())
        app = shown(open_page, file=source(own_shelf))
        said = words(app)
        assert "tiny net" in said
        assert "Told so by the test." in said
        assert "3 conv layers" in said
        layers = app.dataframe[0].value
        assert list(layers["Channels"]) == ["3 → 16", "16 → 48", "48 → 96"]
        assert max(len(str(cell)) for row in layers.to_numpy() for cell in row) < 20
        assert Jobs(own_shelf.database_url).recent() == []
        assert own_shelf.models() == []

    def test_it_starts_with_chosen_images(self, own_shelf: Library, open_page: Open, answer: Answer) -> None:
        answer(model_card())
        app = shown(open_page, file=source(own_shelf), images=two_images())
        assert "2 images" in words(app)
        assert "This will take about" in words(app)
        app.button[-1].click().run()
        if "making" in app.session_state:
            settled(app.session_state["making"][1])
        (job,) = Jobs(own_shelf.database_url).recent()
        request = BuildRequest(**job.request)
        assert request.model == "tiny-abababab"
        assert request.images is not None
        assert Path(request.images).is_dir()
        assert "features" in request.techniques
        assert own_shelf.model("tiny-abababab")[1].read_bytes() == b"weights"
        assert uploads(own_shelf, "models") == []

    def test_whoever_leaves_while_it_is_put_into_the_library_loses_nothing(
        self, own_shelf: Library, open_page: Open, answer: Answer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = Event()

        def slowly(images: str) -> Path:
            assert drawn.wait(30)
            return own_shelf.root

        monkeypatch.setattr(making, "image_set", slowly)
        answer(model_card())
        app = shown(open_page, file=source(own_shelf), images=two_images())
        app.button[-1].click().run()
        assert not app.button, "it can not be asked for twice"
        assert "goes on if you leave" in app.status[0].label
        _file, coming = app.session_state["making"]
        del app
        assert Jobs(own_shelf.database_url).recent() == []
        drawn.set()
        settled(coming)
        (job,) = Jobs(own_shelf.database_url).recent()
        assert (job.id, job.state) == (coming.result(), "queued")

    def test_what_can_not_be_put_there_is_told(
        self, own_shelf: Library, open_page: Open, answer: Answer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(images: str) -> Path:
            raise StrataError("The disk is full. Make room.")

        monkeypatch.setattr(making, "image_set", full)
        answer(model_card())
        app = shown(open_page, file=source(own_shelf), images=two_images())
        app.button[-1].click().run()
        if "making" in app.session_state:
            settled(app.session_state["making"][1])
            app.run()
        assert "The disk is full. Make room." in app.error[0].value.replace("\\", "")

    def test_what_a_sample_says_of_itself_no_person_said(
        self, own_shelf: Library, open_page: Open, answer: Answer
    ) -> None:
        digest = hashlib.sha256(SAMPLES["small"].file.read_bytes()).hexdigest()
        card = model_card("small", digest)
        said = dict.fromkeys(("crop", "height", "mean"), "as you said")
        answer(replace(card, input=replace(card.input, evidence=said)))
        app = shown(open_page, file="sample/small")
        why = dict(zip(app.table[0].value["Input"], app.table[0].value["Why"], strict=True))
        assert (why["crop"], why["size"]) == ("as this sample was trained",) * 2
        assert why["mean"] == "as you said"

    def test_the_estimate_is_for_as_many_workers_as_there_are(
        self, own_shelf: Library, open_page: Open, answer: Answer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STRATA_WORKERS", "1")
        answer(model_card())
        app = shown(open_page, file=source(own_shelf), images=two_images())
        assert "on 1 core." in words(app)

    def test_a_whole_pickled_module_is_refused(self, own_shelf: Library, open_page: Open, answer: Answer) -> None:
        answer(ModelError("It holds a whole Python object. Save model.state_dict() instead, or say --trust."))
        app = shown(open_page, file=source(own_shelf))
        assert "whole Python object" in app.error[0].value
        assert "not opened from a browser" in words(app)
        assert not app.button

    def test_a_failure_is_answered_again_for_a_while_and_then_tried_anew(
        self, own_shelf: Library, answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = answer(ModelError("It was not open after 300 seconds."))
        (tmp_path / "a.pth").write_bytes(b"weights")
        model = recognise.ModelFile(tmp_path / "a.pth")
        settled(recognise.recognise(model, "", {}))
        recognise.recognise(model, "", {})
        assert len(asked) == 1
        monkeypatch.setattr(recognise, "STANDS", 0)
        answer(model_card())
        settled(recognise.recognise(model, "", {}))
        assert recognise.recognise(model, "", {}).result() == model_card()
        assert len(asked) == 2

    def test_trust_is_never_passed_on(self, own_shelf: Library, answer: Answer, tmp_path: Path) -> None:
        asked = answer(model_card())
        file = tmp_path / "a.pth"
        file.write_bytes(b"x")
        model = recognise.ModelFile(file, {"trust": True, "architecture": "resnet18"})
        settled(recognise.recognise(model, "", {"order": "BGR"}))
        assert asked == [{"path": file, "architecture": "resnet18", "input_spec": {"order": "BGR"}}]

    @pytest.mark.parametrize("name", ["my_net.py:Net", "net.py", "../x", "a b"])
    def test_code_is_no_architecture(self, own_shelf: Library, open_page: Open, answer: Answer, name: str) -> None:
        asked = answer(model_card())
        app = open_page("open", file=source(own_shelf), architecture=name)
        assert "is not the name of a net" in app.warning[0].value
        assert asked == []

    def test_a_correction_is_asked_for_and_stands_in_the_address(
        self, own_shelf: Library, open_page: Open, answer: Answer
    ) -> None:
        answer(model_card())
        app = shown(open_page, file=source(own_shelf))
        order = next(box for box in app.selectbox if box.label == "Order of colours")
        order.select("BGR")
        next(button for button in app.button if button.label == "Look again with these").click().run()
        assert app.query_params["input"] == '{"order": "BGR"}'

    @pytest.mark.parametrize(
        "query",
        [{"file": "server/0/x.pth"}, {"file": "upload/none"}, {"file": "sample/none"}, {"file": "x"}],
    )
    def test_a_wrong_address_is_a_sentence(self, own_shelf: Library, open_page: Open, query: dict[str, str]) -> None:
        app = open_page("open", **query)
        assert not app.exception
        assert len(app.warning) == 1

    def test_a_build_that_has_something_to_show_leads_to_its_overview(
        self, own_shelf: Library, open_page: Open
    ) -> None:
        atlas = add_atlas(own_shelf, model_card())
        table = Jobs(own_shelf.database_url)
        job = table.submit("build", {"model": "tiny-abababab"})
        table.claim(job.id)
        table.write(job.id, result={"atlas": atlas.id})
        assert [title.value for title in open_page("open", job=job.id).title] == ["tiny"]

    def test_a_wrong_input_is_a_sentence(self, own_shelf: Library, open_page: Open, answer: Answer) -> None:
        answer(model_card())
        assert "can not be read" in open_page("open", file=source(own_shelf), input="[").warning[0].value


def shown(open_page: Open, **query: str):  # type: ignore[no-untyped-def]
    """The page once the file is open."""
    app = open_page("open", **query)
    for future in list(recognise._found.values()):
        settled(future)
    return app.run()


def test_more_work_is_estimated_to_take_longer() -> None:
    card = model_card()
    names = [layer.name for layer in card.layers]
    few = estimate.seconds(card, 10, names, 4, True, 2)
    many = estimate.seconds(card, 1000, names, 4, True, 2)
    all_channels = estimate.seconds(card, 10, names, None, True, 2)
    assert few is not None
    assert many is not None
    assert all_channels is not None
    assert few < many
    assert few < all_channels
