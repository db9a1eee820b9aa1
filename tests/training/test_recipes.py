"""A recipe: everything in it counts, and what makes no sense is refused at once."""

import itertools
import json
from dataclasses import fields
from types import SimpleNamespace

import pytest
from tiny_training import fit, recipe, validating

from unmix_lite.errors import UnmixError
from unmix_lite.models import MODELS
from unmix_lite.names import COUPLED, NETWORKS, OPEN_UNMIX
from unmix_lite.training import TrainingConfig, loop

pytestmark = pytest.mark.usefixtures("cache")

# For every field of a recipe what it is compared with, and its change.
STEADY = {}
# What two kinds of network take.
ROAD = {"network": "VocalCNN", "targets": ("vocals",), "sources": ("vocals",),
        "arguments": {"filters": 2, "n_fft": 128, "hop_length": 32}}  # fmt: skip
STALLED = {"schedule": "plateau", "plateau": 9}
CHANGES = {
    "targets": (STEADY, ("drums",)), "sources": (STEADY, ("vocals", "drums")),
    "network": (ROAD, "DeepConvSep"), "arguments": (ROAD, {**ROAD["arguments"], "filters": 3}),
    "initial": (STEADY, "weights"), "seconds": (STEADY, 0.2),
    "batch_size": (STEADY, 3), "steps": (STEADY, 5), "minutes": (STEADY, 0.5),
    "loss": (STEADY, "l1"), "learning_rate": (STEADY, 1e-2), "weight_decay": (STEADY, 0.1),
    "schedule": (STEADY, "constant"), "plateau": (STALLED, 1), "clip": (STEADY, 1e-3),
    "average": (STEADY, 0.9), "augmentations": (STEADY, ()), "valid_every": (STEADY, 3),
    "patience": (STALLED, 1), "precision": (STEADY, "bf16"), "seed": (STEADY, 1),
    "rate": (STEADY, 4000),
}  # fmt: skip
ARGUMENTS = {"hidden_size": 16, "unidirectional": True, "max_bin": 100, "dropout": 0.0,
             "n_fft": 256, "hop_length": 64}  # fmt: skip


def test_where_neither_steps_nor_minutes_are_given_there_are_2000_steps():
    assert TrainingConfig().steps == TrainingConfig(steps=2000).steps == 2000
    assert TrainingConfig(minutes=5).steps > 10**6


def test_no_field_of_a_recipe_is_forgotten_here():
    assert list(CHANGES) == [field.name for field in fields(TrainingConfig)]
    assert list(ARGUMENTS) == list(OPEN_UNMIX)


@pytest.mark.parametrize("field", [*CHANGES, *ARGUMENTS])
def test_every_field_of_a_recipe_changes_the_training(tones, tmp_path, monkeypatch, field):
    base, value = CHANGES[field] if field in CHANGES else (STEADY, ARGUMENTS[field])
    if field == "initial":
        fit(tones, tmp_path / value, seed=7, steps=1)
        value = str(tmp_path / value)
    if field == "minutes":  # of a clock on which a step takes 10 s
        ticks = itertools.count(0, 10)
        monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(ticks)))

    def curve(folder, **options):
        if base is STALLED:
            validating(monkeypatch, [1.0], [2.0], [3.0])
        history = fit(tones, tmp_path / folder, **options)
        return [(row["step"], row["train_loss"], row["valid_loss"]) for row in history]

    assert curve("plain", **base) != curve("changed", **{**base, field: value})


@pytest.mark.parametrize(
    "wrong",
    [{"targets": ("piano",)}, {"targets": "vocals"}, {"targets": ()}, {"loss": "l3"},
     {"targets": ("vocals", "vocals")}, {"sources": "vocals"}, {"augmentations": "remix"},
     {"schedule": "never"}, {"augmentations": ("noise",)}, {"precision": "int8"},
     {"seconds": 0.0}, {"seconds": float("nan")}, {"batch_size": 0}, {"steps": 0},
     {"minutes": 0.0}, {"learning_rate": -1e-3}, {"valid_every": 0}, {"average": 1.0},
     {"dropout": 1.0}, {"dropout": -0.1}, {"weight_decay": -1.0}, {"clip": -1.0},
     {"patience": -1}, {"plateau": 0}, {"hidden_size": 0}, {"hidden_size": 7}, {"max_bin": 0},
     {"rate": 0}, {"hop_length": 4096}, {"n_fft": 0}, {"seed": -1}, {"hidden_size": 8.0},
     {"unidirectional": 1}, {"dropout": "much"}, {"loss": "ratio"},
     {"loss": "filtered", "targets": ("vocals", "drums")}],
)  # fmt: skip
def test_a_wrong_recipe_is_one_line_that_names_the_field(wrong):
    with pytest.raises(UnmixError) as error:
        recipe(**wrong)
    assert "\n" not in str(error.value) and next(iter(wrong)) in str(error.value)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_recipe_says_all_that_its_network_takes(network):
    """As JSON gives it back; and the network can be built so."""
    targets = ("vocals",) if network == "VocalCNN" else TrainingConfig.sources
    config = TrainingConfig(network=network, targets=targets)
    assert json.loads(json.dumps(config.arguments)) == config.arguments
    first = next(iter(config.arguments))
    changed = TrainingConfig(network=network, targets=targets, arguments={first: 12})
    assert changed.arguments == {**config.arguments, first: 12}
    if network != "OpenUnmix":
        built = MODELS[network](targets, rate=config.rate, **config.arguments)
        named = {"targets": list(targets), "rate": config.rate}
        assert built.arguments == {**config.arguments, **named}


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        ("OpenUnmix", {"filters": 2}, "OpenUnmix: has no argument 'filters'; it has hidden_size, "),
        ("WaveUNet", {"hidden_size": 8}, "no argument 'hidden_size'; it has filters, levels, nb_"),
        ("WaveUNet", {"rate": 8000}, "no argument 'rate'"),
        ("WaveUNet", {"filters": 2.5}, "its filters is something like 24, not 2.5"),
        ("VocalCNN", {"dropout": 0.5}, r"its dropout is something like \[0.25, 0.5\], not 0.5"),
        ("Wavenet", {"final": [1, "two"]}, "its final is something like"),
    ],
)
def test_an_argument_that_a_network_does_not_take_is_one_line(network, arguments, message):
    with pytest.raises(UnmixError, match=message) as error:
        TrainingConfig(network=network, arguments=arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("loss", sorted(COUPLED))
def test_a_loss_that_couples_the_stems_is_for_all_of_them(loss):
    with pytest.raises(UnmixError, match="vocals drums bass other, on the command line with --jo"):
        TrainingConfig(loss=loss)
    assert TrainingConfig(loss=loss, targets=TrainingConfig.sources).is_joint
