"""The command line: what a model is, what is made of it, how it is looked at; and a library's own commands."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from analysis import job_commands, library_commands
from analysis.errors import StrataError
from analysis.options import DATABASE, HERE, LIBRARY

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

FILE = Annotated[
    Path, typer.Argument(help="A trained model: state dict, checkpoint, safetensors, ONNX …", show_default=False)
]
ARCHITECTURE = Annotated[
    str | None, typer.Option(help="Whose weights these are, where it can not be recognised: resnet18.")
]
ARGUMENTS = Annotated[str | None, typer.Option("--architecture-args", help="What your class is made with, as JSON.")]
INPUT = Annotated[list[str] | None, typer.Option("--input", help="What it expects to see: order=BGR, range=[0,255] …")]
PARTIAL = Annotated[bool, typer.Option("--partial", help="Accept weights that fill only a part of your class.")]
TRUST = Annotated[bool, typer.Option("--trust", help="Allow the file to run code of its own. Only for files you made.")]
WORKERS = Annotated[int | None, typer.Option(min=1, help="Worker processes; one a GPU, else one a core, by default.")]
MEMORY = Annotated[
    str | None, typer.Option(help="What each worker may use: 4GiB. The machine's, shared out evenly, by default.")
]
SCHEDULER = Annotated[
    str | None, typer.Option(help="tcp://host:8786 of a Dask cluster to run on, instead of this machine.")
]


def main() -> NoReturn:
    """The console script. An error that a person can act on is a sentence on standard error and status 2."""
    try:
        app()
    except StrataError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped. What is done is kept; run the same command to go on.", file=sys.stderr)
        sys.exit(130)
    sys.exit(0)


@app.command()
def inspect(
    file: FILE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    architecture: ARCHITECTURE = None,
    architecture_args: ARGUMENTS = None,
    input_spec: INPUT = None,
    partial: PARTIAL = False,
    trust: TRUST = False,
) -> None:
    """Say what a model file holds: its format, architecture, input and conv layers."""
    from analysis.console import print_model

    card = _open_card(file, **_opening(architecture, architecture_args, input_spec, partial, trust))
    if as_json:
        print(json.dumps(card.to_json(), indent=2, ensure_ascii=False))
    else:
        print_model(card)


@app.command()
def build(
    file: FILE,
    images: Annotated[
        str | None,
        typer.Option(help="Real images to measure the model on: a folder, torchvision:CIFAR10:data …"),
    ] = None,
    library: LIBRARY = HERE,
    layers: Annotated[str | None, typer.Option(help="Only these layers, comma-separated.")] = None,
    channels: Annotated[str | None, typer.Option(help="Only these channels of each layer: 0-11,40.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Use this many of the images.")] = None,
    count_seed: Annotated[int, typer.Option(min=0, help="Which of them --count draws: others for each number.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Optimisation steps of a picture.")] = None,
    size: Annotated[int | None, typer.Option(help="Size of a picture in px.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the pictures.")] = None,
    only: Annotated[str | None, typer.Option(help="Make only these: features,exemplars,statistics.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Any parameter: features.steps=32.")] = None,
    architecture: ARCHITECTURE = None,
    architecture_args: ARGUMENTS = None,
    input_spec: INPUT = None,
    partial: PARTIAL = False,
    trust: TRUST = False,
    database: DATABASE = None,
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    memory: MEMORY = None,
) -> None:
    """Make the atlas of a model: statistics, exemplars and pictures of every channel. Goes on where it was stopped."""
    from analysis.atlas.library import Library
    from analysis.console import print_skipped
    from analysis.jobs.check import check_layers, check_techniques
    from analysis.jobs.cluster import Hands
    from analysis.jobs.local import build_here, requested
    from analysis.jobs.request import EVERYTHING, possible
    from analysis.probe.address import absolute
    from analysis.probe.open import list_source

    # what is mistyped is said before the model is opened
    pictures = {"steps": steps, "size": size, "seed": seed}
    check_techniques(requested(only, EVERYTHING, pictures, settings or []))
    numbers = None if channels is None else _numbers(channels)
    if images is not None:
        list_source(absolute(images))
    card = _open_card(file, **_opening(architecture, architecture_args, input_spec, partial, trust))
    named = _names(layers)
    check_layers(card, named or ())
    shelf = Library(library, database)
    shelf.add_model(card, file)
    request: dict[str, Any] = {
        "model": card.id,
        "images": None if images is None else absolute(images),
        "image_options": {} if count is None else {"count": count, "seed": count_seed},
        "layers": named,
        "channels": numbers,
        "techniques": requested(only, possible(card.weights_only, images is not None), pictures, settings or []),
    }
    job = build_here(shelf, request, Hands(workers, scheduler, memory))
    _end(job.state, job.error)
    atlas = shelf.atlas(job.result["atlas"])
    if atlas.probe is not None:
        print_skipped(atlas.probe)
    print(atlas.root)


@app.command()
def serve(
    library: LIBRARY = HERE,
    port: Annotated[int, typer.Option(help="Where the dashboard listens.")] = 8501,
    address: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for every network.")] = "localhost",
    database: DATABASE = None,
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    memory: MEMORY = None,
    models: Annotated[
        list[Path] | None, typer.Option(help="A folder whose model files may be opened in the browser; repeatable.")
    ] = None,
    images: Annotated[
        list[Path] | None, typer.Option(help="A folder whose images may be measured on from the browser; repeatable.")
    ] = None,
) -> None:
    """Start the dashboard and, beside it, the engine that does its jobs."""
    from analysis.atlas.library import Library
    from analysis.jobs.cluster import Hands
    from analysis.serving import serve as run

    offered = {"models": models or [], "images": images or []}
    run(Library(library, database), address, port, Hands(workers, scheduler, memory), offered)


@app.command()
def engine(
    library: LIBRARY = HERE,
    database: DATABASE = None,
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    memory: MEMORY = None,
) -> None:
    """Do the jobs of a library, without a dashboard."""
    from analysis.atlas.library import Library
    from analysis.jobs.cluster import Hands
    from analysis.serving import run_engine

    run_engine(Library(library, database), Hands(workers, scheduler, memory))


@app.command()
def worker(
    scheduler: Annotated[str, typer.Argument(help="The Dask scheduler to work for: tcp://host:8786.")],
    workers: WORKERS = None,
    memory: MEMORY = None,
) -> None:
    """Work for a Dask cluster with this machine: single-threaded processes, until told to end."""
    from analysis.jobs.cluster import Hands
    from analysis.jobs.joining import work_for

    work_for(Hands(workers, scheduler, memory))


@app.command()
def dream(
    image: Annotated[Path, typer.Argument(help="The image to rewrite.", show_default=False)],
    model: Annotated[str, typer.Option(help="A model file, or a model of the library by its name or id.")],
    layer: Annotated[str, typer.Option(help="The layer that dreams.")],
    out: Annotated[Path, typer.Option(help="Where the picture goes: a .png file.")],
    channel: Annotated[int | None, typer.Option(min=0, help="One channel of it; all of them otherwise.")] = None,
    library: LIBRARY = HERE,
    database: DATABASE = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Any parameter: octaves=5.")] = None,
    trust: TRUST = False,
) -> None:
    """Rewrite an image by what a layer learned (Inceptionism), octave by octave."""
    from analysis.jobs.local import assignments, dream_here, writable

    writable(out)
    shelf, card = _known_model(library, model, trust, database)
    request = {
        "model": card.id,
        "image": str(image.absolute()),
        "layer": layer,
        "channel": channel,
        "parameters": assignments(settings or []),
    }
    dream_here(shelf, request, out)
    print(out)


@app.command()
def look(
    image: Annotated[Path, typer.Argument(help="The image to look at.", show_default=False)],
    model: Annotated[str, typer.Option(help="A model file, or a model of the library by its name or id.")],
    out: Annotated[
        Path | None, typer.Option(help="A folder for the pictures: heat maps over the image, what each layer kept.")
    ] = None,
    library: LIBRARY = HERE,
    layers: Annotated[str | None, typer.Option(help="Draw what these layers kept, comma-separated.")] = None,
    trust: TRUST = False,
    database: DATABASE = None,
) -> None:
    """Say what a model sees in one image: its answer, which channels of which layer respond, what each layer kept."""
    from analysis.console import print_table
    from analysis.jobs.local import look_here, writable
    from analysis.jobs.looked import answers_table, channels_table, save_pictures

    if out is not None:
        writable(out, folder=True)
    shelf, card = _known_model(library, model, trust, database)
    atlas = next((each for each in shelf.atlases() if each.model.id == card.id), None)
    request = {
        "model": card.id,
        "atlas": None if atlas is None else atlas.id,
        "image": str(image.absolute()),
        "layers": _names(layers),
    }
    found = look_here(shelf, request)
    for table in (*answers_table(found), channels_table(found)):
        print_table(table)
        print()
    if out is not None:
        save_pictures(found, out)
        print(out)


@app.command()
def render(
    model: Annotated[str, typer.Argument(help="A model file, or a model of the library by its name or id.")],
    unit: Annotated[str, typer.Argument(help="layer:channel, or output:class.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the pictures go, side by side: a .png file.")],
    sign: Annotated[int, typer.Option(help="-1: what the channel is most against.")] = 1,
    faces: Annotated[int, typer.Option(help="Pictures that differ as much as they can.")] = 1,
    site: Annotated[str, typer.Option(help="Where the layer is read: conv, norm or activation.")] = "conv",
    alpha: Annotated[bool, typer.Option("--alpha", help="What the channel does not look at is transparent.")] = False,
    planes: Annotated[bool, typer.Option("--planes", help="Each plane of the input for itself, not colours.")] = False,
    images: Annotated[str | None, typer.Option(help="Real images that say what pictures look like.")] = None,
    library: LIBRARY = HERE,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Any parameter: steps=64, goal=neuron.")] = None,
    trust: TRUST = False,
    database: DATABASE = None,
) -> None:
    """Draw one channel or class: several faces, its opposite, any site, a mixture of channels."""
    from analysis.console import print_table
    from analysis.jobs.check import check_channel, check_techniques
    from analysis.jobs.local import assignments, atlas_for, render_here, save_faces, writable
    from analysis.probe.address import absolute
    from analysis.probe.open import list_source

    writable(out)
    if images is not None:
        list_source(absolute(images))
    if sign not in (1, -1):
        raise StrataError(f"--sign is 1 (for) or -1 (against), not {sign}. Choose one of them.")
    chosen = {"negative": sign < 0, "faces": faces, "site": site, **assignments(settings or [])}
    check_techniques({"renders": chosen})
    shelf, card = _known_model(library, model, trust, database)
    place = _unit(unit, card)
    check_channel(card, place.layer, place.channel)
    if planes and card.input.channels in (1, 3):
        raise StrataError("This model sees grey or RGB images, whose planes are their colours. Leave --planes out.")
    atlas = atlas_for(shelf, card, images)
    request = {"atlas": atlas.id, "layer": place.layer, "channel": place.channel, "parameters": chosen}
    made = render_here(shelf, request)
    save_faces(atlas, made, out, "alpha" if alpha else "planes" if planes else "")
    assert made.table is not None
    print_table(made.table[["face", "state", "steps", "activation", "natural", "ratio"]])
    print(out)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="An atlas or model of the library.", show_default=False)],
    b: Annotated[str, typer.Argument(help="Another one.", show_default=False)],
    library: LIBRARY = HERE,
    every: Annotated[bool, typer.Option("--all", help="Print every figure; JSON holds them all.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Lay two models of the library side by side: a row a layer. What each column says stands below the table."""
    from analysis.atlas.library import Library
    from analysis.comparison.atlases import compare_atlases
    from analysis.console import print_comparison

    shelf = Library(library)
    table = compare_atlases(shelf.atlas(a), shelf.atlas(b))
    if as_json:
        print(table.to_json(orient="records", indent=2))
    else:
        print_comparison(table, every)


@app.command()
def diagnose(
    name: Annotated[str, typer.Argument(metavar="ATLAS", help="An atlas or model of the library.", show_default=False)],
    library: LIBRARY = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Say what looks wrong in a model, worst first: each finding with its evidence and its cure."""
    from analysis.atlas.library import Library
    from analysis.console import print_findings
    from analysis.findings.find import find, missing

    atlas = Library(library).atlas(name)
    findings, unjudged = find(atlas), missing(atlas)
    if as_json:
        facts = {"findings": [each.to_json() for each in findings], "missing": [vars(each) for each in unjudged]}
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        print_findings(findings, unjudged)


job_commands.register(app)
library_commands.register(app)


def _opening(
    architecture: str | None, arguments: str | None, input_spec: list[str] | None, partial: bool, trust: bool
) -> dict[str, Any]:
    """The options of `open_model`, as the command line has them."""
    return {
        "architecture": architecture,
        "architecture_args": arguments,
        "input_spec": input_spec,
        "partial": partial,
        "trust": trust,
    }


def _open_card(file: Path, **options: Any) -> Any:
    """Open the file in a process of its own (model files are hostile until shown otherwise) and return its card."""
    from analysis.jobs.local import assignments
    from analysis.models.guard import inspect_guarded

    given = {name: value for name, value in options.items() if value}
    if "architecture_args" in given:
        given["architecture_args"] = _object(given["architecture_args"])
    if "input_spec" in given:
        given["input_spec"] = assignments(given["input_spec"])
    return inspect_guarded(file, **given)


def _known_model(library: str, model: str, trust: bool, database: str | None = None) -> tuple[Any, Any]:
    """The library and the card of a model in it; a file is taken into it first."""
    from analysis.atlas.library import Library

    shelf, file = Library(library, database), Path(model)
    if not file.is_file():
        try:
            return shelf, shelf.model(model)[0]
        except StrataError as error:
            raise StrataError(f"{model} is no file here. {error}") from None
    card = _open_card(file, trust=trust)
    shelf.add_model(card, file)
    return shelf, card


def _unit(text: str, card: Any) -> Any:
    """A channel or class of this model, by its address or by what follows the model in it."""
    from analysis.unit import Unit

    try:
        return Unit.parse(text if text.startswith(f"{card.id}/") else f"{card.id}/{text}")
    except StrataError:
        example = card.layers[0].name
        raise StrataError(f"“{text}” names no channel. Write layer:channel, such as {example}:0.") from None


def _names(text: str | None) -> list[str] | None:
    """`conv1, conv2` → its parts."""
    return None if text is None else [name.strip() for name in text.split(",")]


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise StrataError(f"“{text}” is no JSON object. Write it as '{{\"depth\": 20}}'.")
    return value


def _numbers(text: str) -> list[int]:
    """`0-11,40` → 0 … 11, 40."""
    numbers: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.strip().partition("-")
            numbers += range(int(first), int(last or first) + 1)
    except ValueError:
        raise StrataError(f"“{text}” does not name channels. Write numbers and ranges: 0-11,40.") from None
    return sorted(set(numbers))


def _end(state: str, error: str | None) -> None:
    if state == "failed":
        raise StrataError(error or "The build failed. Run it again to go on where it stopped.")
    if state != "done":
        raise StrataError("The build was stopped. Run the same command to go on where it was.")


if __name__ == "__main__":
    main()
