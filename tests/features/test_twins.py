"""What the same net draws with random weights."""

from analysis import encoding
from analysis.features.parameters import Parameters
from analysis.features.twins import CHANNELS, TwinsTechnique
from analysis.task import Task
from analysis.technique import Context, Request, Wanted
from tests.features.nets import model_of, plain_prior, small_net

PRIOR = Task("prior", 1, "1" * 64, None)


def planned(model) -> list[Task]:
    layers = tuple(layer.name for layer in model.card.layers)
    wanted = Wanted(layers, heads=tuple(model.card.heads))
    settings = Parameters(steps=6, retries=2, attempts=3)
    return TwinsTechnique().plan(Request(model.card, None, wanted, settings, {"prior": [PRIOR]}))


def test_some_channels_of_every_layer_once_and_no_classes():
    model = model_of(small_net())
    tasks = planned(model)
    assert [task.layer for task in tasks] == [layer.name for layer in model.card.layers]
    for task, layer in zip(tasks, model.card.layers, strict=True):
        assert task.channels == (0, min(CHANNELS, layer.out_channels))
        assert (task.parameters["retries"], task.parameters["attempts"]) == (0, 1)


def test_it_is_drawn_by_random_weights_and_leaves_the_model_as_it_was():
    model = model_of(small_net())
    before = {name: value.clone() for name, value in model.module.state_dict().items()}
    prior = {"prior.npz": encoding.to_npz(plain_prior(model).to_arrays())}
    task = planned(model)[-1]
    made = [TwinsTechnique().run(task, Context(lambda: model, lambda: None, {PRIOR.key: prior})) for _ in range(2)]
    assert made[0] == made[1]
    table = encoding.from_parquet(made[0]["features.parquet"])
    assert table["channel"].tolist() == list(range(*task.channels))
    assert table["natural"].isna().all()
    assert {f"{channel:05d}.webp" for channel in table["channel"]} <= made[0].keys()
    assert all((value == before[name]).all() for name, value in model.module.state_dict().items())
