"""Training from the command line: its options, its messages, and the road on to scores."""

import subprocess
import sys

import pytest
from tiny_training import write_song

from unmix_lite.cli import main
from unmix_lite.names import OPEN_UNMIX, TARGETS
from unmix_lite.training import STEPS, TrainingConfig

TINY = ("--steps", 2, "--batch-size", 2, "--seconds", 0.5, "--hidden-size", 8,
        "--valid-every", 1)  # fmt: skip


def unmix(*arguments):
    return main([str(argument) for argument in arguments])


def one_line(text, *words):
    return text.count("\n") == 1 and all(word in text for word in words)


@pytest.fixture
def trainings(monkeypatch):
    """What `train` was asked for: a list of its recipes and their folders; nothing is trained."""
    asked = []

    def train(config, tracks, valid_tracks, folder, device):
        asked.append((config, folder))
        losses = {target: 1.0 for target in config.targets}
        return [{"step": 2, "valid_loss": 1.0, "valid_losses": losses}]

    monkeypatch.setattr("unmix_lite.training.train", train)
    return asked


def test_train_without_options_is_the_recipe_of_the_package(band, tmp_path, trainings):
    assert unmix("train", "--corpus", band, "-o", tmp_path) == 0
    assert trainings == [(TrainingConfig(targets=(target,)), tmp_path) for target in TARGETS]


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("--initial umx-lite", "initial", "umx-lite"),
        ("--steps 7", "steps", 7),
        ("--minutes 0.5", "minutes", 0.5),
        ("--batch-size 3", "batch_size", 3),
        ("--seconds 1.5", "seconds", 1.5),
        ("--hidden-size 32", "arguments", {"hidden_size": 32}),
        ("--dropout 0.1", "arguments", {"dropout": 0.1}),
        ("--unidirectional", "arguments", {"unidirectional": True}),
        ("--set n_fft=2048 hop_length=512", "arguments", {"n_fft": 2048, "hop_length": 512}),
        ("--hidden-size 32 --set max_bin=9", "arguments", {"hidden_size": 32, "max_bin": 9}),
        ("--loss sdr", "loss", "sdr"),
        ("--augmentations", "augmentations", ()),
        ("--augmentations speed remix", "augmentations", ("speed", "remix")),
        ("--learning-rate 0.01", "learning_rate", 0.01),
        ("--weight-decay 0.5", "weight_decay", 0.5),
        ("--schedule plateau", "schedule", "plateau"),
        ("--clip 2", "clip", 2.0),
        ("--average 0.99", "average", 0.99),
        ("--valid-every 9", "valid_every", 9),
        ("--patience 3", "patience", 3),
        ("--precision bf16", "precision", "bf16"),
        ("--seed 1", "seed", 1),
        ("--targets drums bass --joint", "targets", ("drums", "bass")),
    ],
)
def test_an_option_of_train_changes_its_field_and_no_other(
    band, tmp_path, trainings, option, field, value
):
    targets = [] if field == "targets" else ["--targets", "vocals"]
    assert unmix("train", "--corpus", band, "-o", tmp_path, *targets, *option.split()) == 0
    assert [config for config, _ in trainings] == [TrainingConfig(**{field: value})]


@pytest.mark.parametrize(
    "option",
    ["--dropout 1", "--average 1", "--weight-decay -1", "--clip -1", "--hidden-size 7",
     "--targets vocals vocals --joint", "--targets piano", "--initial nowhere",
     "--set wings=2", "--set hidden_size=[8]", "--set dropout=true", "--loss ratio",
     "--loss filtered --targets vocals drums --joint", "--network WaveUNet --hidden-size 8",
     "--network Wavenet --unidirectional", "--network VocalCNN --dropout 0.1"],
)  # fmt: skip
def test_a_recipe_that_makes_no_sense_is_one_line(band, tmp_path, capsys, cache, option):
    train = ["train", "--corpus", band, "-o", tmp_path / "out", *TINY, "--targets", "vocals"]
    assert unmix(*train, *option.split()) == 1
    *bars, message = capsys.readouterr().err.splitlines()
    assert message.startswith("unmix-lite: ") and not any("unmix-lite" in bar for bar in bars)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("loss", ["ratio", "filtered"])
def test_a_loss_that_couples_the_stems_needs_joint(band, tmp_path, capsys, cache, trainings, loss):
    train = ["train", "--corpus", band, "-o", tmp_path / "out", "--loss", loss]
    assert unmix(*train) == 1 and not trainings and not cache.exists()
    assert one_line(capsys.readouterr().err, f"'{loss}'", "--joint")
    assert unmix(*train, "--joint") == 0
    assert [config.targets for config, _ in trainings] == [TARGETS]


def test_the_help_tells_the_defaults_of_the_recipe(capsys):
    with pytest.raises(SystemExit):
        unmix("train", "--help")
    told = " ".join(capsys.readouterr().out.split())
    for text in (
        f"width of the network (default: {OPEN_UNMIX['hidden_size']})",
        f"excerpts per step, over all processes (default: {TrainingConfig.batch_size})",
        f"(default: {' '.join(TrainingConfig.augmentations)})",
        "--weight-decay W Adam's (default: 0.00001)",
        f"steps of the optimiser (default: {STEPS},",
    ):
        assert text in told


def test_help_is_told_without_torch():
    script = (
        "import sys; from unmix_lite.cli import main\n"
        "try: main(['train', '--help'])\n"
        "finally: print(*sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    loaded = told.stdout.splitlines()[-1].split()
    assert "unmix_lite.training.config" in loaded and not {"torch", "numpy"} & set(loaded)


def test_other_stems_are_trained_by_their_names(tmp_path, trainings):
    for name in ("one", "two"):
        write_song(tmp_path / "songs" / "train" / name, ("piano", "guitar", "mixture"))
    arguments = ["--corpus", tmp_path / "songs", "--targets", "piano", "-o", tmp_path / "out"]
    assert unmix("train", *arguments) == 0
    assert trainings[0][0].targets == ("piano",) and trainings[0][0].sources == ("guitar", "piano")


def test_vocals_are_trained_against_one_file_of_all_the_rest(tmp_path, trainings, capsys):
    for name in ("one", "two", "three"):
        write_song(tmp_path / "songs" / "train" / name, ("accompaniment", "vocals"))
    (tmp_path / "songs" / "train" / "one" / "accompaniment.wav").unlink()  # train says so
    arguments = ["--corpus", tmp_path / "songs", "--targets", "vocals", "-o", tmp_path / "out"]
    assert unmix("train", *arguments) == 0
    assert trainings[0][0].sources == ("vocals", "accompaniment")
    assert "a song is the sum of vocals, accompaniment" in capsys.readouterr().out


def test_a_fifth_stem_beside_the_four_of_musdb_is_no_source(tmp_path, trainings):
    for name in ("one", "two"):
        write_song(tmp_path / "songs" / "train" / name, (*TARGETS, "accompaniment"))
    assert unmix("train", "--corpus", tmp_path / "songs", "-o", tmp_path / "out") == 0
    assert {config.sources for config, _ in trainings} == {TARGETS}


@pytest.mark.parametrize("targets", [["vocals", "drums"], ["piano", "guitar"]])
def test_train_names_all_songs_that_cannot_be_used(tmp_path, capsys, cache, targets):
    """Also if the first is one of them, from which the names of the stems are taken."""
    folder = tmp_path / "songs" / "train"
    for name in ("a", "b", "c", "d"):
        write_song(folder / name, TARGETS if targets[0] in TARGETS else targets)
    for name in ("a", "c"):
        (folder / name / f"{targets[0]}.wav").write_text("not a sound")
    arguments = ["--corpus", tmp_path / "songs", "-o", tmp_path / "out", *TINY]
    assert unmix("train", *arguments, "--targets", *targets) == 1
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert str(folder / "a") in message and str(folder / "c") in message


def test_a_training_that_is_stopped_ends_with_130(band, tmp_path, capsys, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("unmix_lite.training.train", stopped)
    assert unmix("train", "--corpus", band, "-o", tmp_path) == 130
    assert one_line(capsys.readouterr().err, "stopped")


def test_from_training_to_scores_on_the_band(band, tmp_path, capsys, monkeypatch):
    """The whole road by its commands: corpus, train, separate, evaluate."""
    monkeypatch.setenv("UNMIX_LITE_CACHE", str(tmp_path / "cache"))
    assert unmix("corpus", band) == 0
    assert "train: 3 songs" in capsys.readouterr().out
    train = ["train", "--corpus", band, "-o", tmp_path / "model", *TINY]
    assert unmix(*train, "--targets", "vocals", "drums", "--joint") == 0
    assert unmix(*train, "--targets", "bass") == 0
    assert "bass: best validation loss" in capsys.readouterr().out
    mixture = next((band / "test").iterdir()) / "mixture.wav"
    assert unmix("separate", mixture, "-o", tmp_path / "out", "--model", tmp_path / "model") == 0
    assert (tmp_path / "out" / "mixture" / "drums.wav").is_file()
    scores = [
        "evaluate",
        "--model",
        tmp_path / "model",
        "--corpus",
        band,
        "-o",
        tmp_path / "scores",
    ]
    assert unmix(*scores, "--targets", "vocals", "drums", "--sdr-only") == 0
    assert (tmp_path / "scores" / "scores.csv").is_file()
    assert (tmp_path / "scores" / "scores.png").read_bytes().startswith(b"\x89PNG")
    command = ["evaluate", "--model", "CENTRE", "--corpus", band, "-o", tmp_path / "centre"]
    assert unmix(*command, "--sdr-only") == 0
    assert "vocals" in (tmp_path / "centre" / "scores.txt").read_text()
    assert unmix("train", "--corpus", tmp_path / "nowhere", "-o", tmp_path / "x") == 1
    assert one_line(capsys.readouterr().err.splitlines(keepends=True)[-1], "no such folder")
