"""The command line as its user meets it: files, messages, exit codes."""

import os
import shutil
import subprocess
import sys
import sysconfig

import pytest
import soundfile
import torch
from leftovers import begun_by_the_dead

from unmix_lite import load_audio, save_audio
from unmix_lite.cli import main
from unmix_lite.models import OpenUnmix
from unmix_lite.weights import NetworkCard, save_network

TARGETS = ("vocals", "drums", "bass", "other")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A folder of four small untrained networks."""
    folder = tmp_path_factory.mktemp("model")
    for seed, target in enumerate(TARGETS):
        torch.manual_seed(seed)
        network = OpenUnmix(hidden_size=16).eval()
        save_network(folder, network, NetworkCard(target, "OpenUnmix", network.arguments))
    return folder


def song(path, channels=2, rate=44100, seconds=1.0, level=0.2):
    audio = level * torch.randn(
        channels, round(seconds * rate), generator=torch.Generator().manual_seed(0)
    )
    save_audio(path, audio.clamp(-0.99, 0.99), rate)
    return path


def unmix(*arguments):
    return main([str(argument) for argument in arguments])


def decibels_between(stems, audio):
    return 10 * torch.log10((sum(stems) - audio).square().sum() / audio.square().sum())


@pytest.mark.parametrize(
    ("name", "channels", "rate", "seconds"),
    [
        ("a.wav", 2, 44100, 2),
        ("b.mp3", 2, 44100, 2),
        ("c.wav", 1, 22050, 2),
        ("d.flac", 2, 48000, 0.3),
        ("e.ogg", 1, 8000, 0.5),
    ],
)
def test_separate_keeps_length_rate_and_channels_and_adds_up(
    model, tmp_path, name, channels, rate, seconds
):
    # White noise: the top of the band, which resampling cannot carry, must be somewhere too.
    path = song(tmp_path / name, channels, rate, seconds)
    assert unmix("separate", path, "-o", tmp_path / "out", "--model", model) == 0
    audio, _ = load_audio(path)
    stems = []
    for target in TARGETS:
        stem, stem_rate = load_audio(tmp_path / "out" / path.stem / f"{target}.wav")
        assert stem_rate == rate and stem.shape == audio.shape
        stems.append(stem)
    assert decibels_between(stems, audio) < -80


def test_silence_gives_silent_stems(model, tmp_path):
    save_audio(tmp_path / "silence.wav", torch.zeros(2, 30_000), 44100)
    assert (
        unmix("separate", tmp_path / "silence.wav", "-o", tmp_path / "out", "--model", model) == 0
    )
    assert load_audio(tmp_path / "out" / "silence" / "bass.wav")[0].abs().max() == 0


def test_a_loud_song_is_not_clipped_in_flac(model, tmp_path, capsys):
    audio = torch.sin(torch.arange(44100) / 30).expand(2, -1) * 1.8
    save_audio(tmp_path / "loud.wav", audio, 44100)
    assert (
        unmix(
            "separate",
            tmp_path / "loud.wav",
            "-o",
            tmp_path / "out",
            "--model",
            model,
            "--format",
            "flac",
        )
        == 0
    )
    stems = [load_audio(tmp_path / "out" / "loud" / f"{target}.flac")[0] for target in TARGETS]
    total = sum(stems)
    gain = (total * audio).sum() / audio.square().sum()
    assert decibels_between(stems, gain * audio) < -40
    if gain < 0.99:
        assert "lowered by" in capsys.readouterr().out


def test_a_second_run_skips_and_overwrite_does_not(model, tmp_path, capsys):
    path, out = song(tmp_path / "song.wav"), tmp_path / "out"
    assert unmix("separate", path, "-o", out, "--model", model) == 0
    before = (out / "song" / "drums.wav").stat().st_mtime_ns
    assert unmix("separate", path, "-o", out, "--model", model) == 0
    assert "already" in capsys.readouterr().out
    assert (out / "song" / "drums.wav").stat().st_mtime_ns == before
    assert unmix("separate", path, "-o", out, "--model", model, "--overwrite") == 0
    assert (out / "song" / "drums.wav").stat().st_mtime_ns > before


def test_a_file_that_is_there_is_not_replaced(model, tmp_path, capsys):
    mine = tmp_path / "out" / "song" / "vocals.wav"
    mine.parent.mkdir(parents=True)
    mine.write_text("my own recording")
    assert (
        unmix("separate", song(tmp_path / "song.wav"), "-o", tmp_path / "out", "--model", model)
        == 1
    )
    assert "--overwrite" in capsys.readouterr().err and mine.read_text() == "my own recording"


def test_one_bad_song_does_not_stop_the_others(model, tmp_path, capsys):
    good, bad = song(tmp_path / "good.wav"), tmp_path / "bad.wav"
    bad.write_text("not a sound")
    assert unmix("separate", bad, good, "-o", tmp_path / "out", "--model", model) == 1
    assert (tmp_path / "out" / "good" / "other.wav").is_file()
    assert not (tmp_path / "out" / "bad").exists()
    assert one_line(capsys.readouterr().err, "bad.wav")


def test_two_songs_of_one_name_are_refused(model, tmp_path, capsys):
    inputs = song(tmp_path / "a" / "song.wav"), song(tmp_path / "b" / "song.flac")
    assert unmix("separate", *inputs, "-o", tmp_path / "out", "--model", model) == 1
    assert "both be written" in capsys.readouterr().err


def test_targets_iterations_and_residual(model, tmp_path):
    path = song(tmp_path / "song.wav")
    unmix(
        "separate",
        path,
        "-o",
        tmp_path / "one",
        "--model",
        model,
        "--targets",
        "drums",
        "--residual",
    )
    assert sorted(file.name for file in (tmp_path / "one" / "song").iterdir()) == [
        "drums.wav",
        "residual.wav",
    ]
    unmix("separate", path, "-o", tmp_path / "two", "--model", model, "--iterations", 0)
    unmix("separate", path, "-o", tmp_path / "three", "--model", model)
    plain, refined = (load_audio(tmp_path / n / "song" / "drums.wav")[0] for n in ("two", "three"))
    assert not torch.allclose(plain, refined, atol=1e-4)


def one_line(text, *words):
    return text.count("\n") == 1 and all(word in text for word in words)


def spoil(kind, path):
    """A bad input of a kind; returns the word that the message must hold."""
    if kind == "missing":
        return "no such file"
    if kind == "empty":
        path.touch()
        return "empty"
    if kind == "no samples":
        soundfile.write(path, torch.zeros(0, 2).numpy(), 44100)
        return "no samples"
    if kind == "NaN":
        soundfile.write(path, torch.full((2000, 2), float("nan")).numpy(), 44100, subtype="FLOAT")
        return "NaN"
    if kind == "six channels":
        soundfile.write(path, torch.zeros(2000, 6).numpy(), 44100)
        return "6 channels"
    song(path)
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
        return "truncated"
    path.write_bytes(b"ID3 nothing of the kind" * 100)
    return "cannot be read"


@pytest.mark.parametrize(
    "kind", ["missing", "empty", "no samples", "NaN", "six channels", "truncated", "text"]
)
def test_bad_songs_end_in_one_line_and_code_1(model, tmp_path, capsys, kind):
    path = tmp_path / "bad.wav"
    words = spoil(kind, path)
    assert unmix("separate", path, "-o", tmp_path / "out", "--model", model) == 1
    captured = capsys.readouterr()
    assert one_line(captured.err, words, "bad.wav"), captured.err
    assert not list(tmp_path.glob("out/**/*.*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "nothing"], "no such model"),
        (["--targets", "kazoo"], "kazoo"),
        (["--device", "cuda:7"], "cuda:7"),
    ],
)
def test_bad_options_end_in_one_line(model, tmp_path, capsys, arguments, words):
    path = song(tmp_path / "song.wav")
    assert unmix("separate", path, "-o", tmp_path / "out", "--model", model, *arguments) == 1
    assert one_line(capsys.readouterr().err, words)


def test_a_wrong_checkpoint_is_one_line(model, tmp_path, capsys):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "vocals.safetensors").write_bytes(b"not weights at all")
    path = song(tmp_path / "song.wav")
    assert unmix("separate", path, "-o", tmp_path / "out", "--model", tmp_path / "weights") == 1
    assert one_line(capsys.readouterr().err, "vocals.safetensors", "not a whole safetensors file")


@pytest.mark.parametrize("command", [[], ["separate"], ["train"], ["evaluate"], ["corpus"]])
def test_help_of_every_command(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([*command, "--help"])
    assert exit_.value.code == 0 and "exit codes" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["sing"], ["separate", "x.wav"], ["train", "-o", "x", "--steps", "0"],
     ["train", "-o", "x", "--network", "UNet"],
     ["train", "-o", "x", "--network", "WaveUNet", "--set", "filters"]],
)  # fmt: skip
def test_a_command_that_is_not_understood_ends_with_2(arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2


@pytest.mark.parametrize(
    "command",
    [[sys.executable, "-m", "unmix_lite"], [f"{sysconfig.get_path('scripts')}/unmix-lite"]],
)
def test_as_a_module_and_as_a_command(command):
    result = subprocess.run([*command, "--version"], capture_output=True, text=True)
    assert result.returncode == 0 and result.stdout.startswith("unmix-lite ")


# --- Batches, folders, repetition ------------------------------------------------------------


def test_folders_and_patterns_are_songs(model, tmp_path, capsys):
    """A folder's sound files, whatever else lies there; a pattern that no shell has expanded."""
    album = tmp_path / "album"
    song(album / "one.wav", seconds=0.3)
    song(album / "two.flac", seconds=0.3)
    (album / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0picture")
    (album / "notes.txt").write_text("la la la")
    (album / ".hidden.wav").write_bytes((album / "one.wav").read_bytes())
    out = tmp_path / "out"
    assert unmix("separate", album, "-o", out, "--model", model) == 0
    assert sorted(folder.name for folder in out.iterdir()) == ["one", "two"]
    assert unmix("separate", album / "*.flac", "-o", tmp_path / "b", "--model", model) == 0
    assert [folder.name for folder in (tmp_path / "b").iterdir()] == ["two"]
    (tmp_path / "empty").mkdir()
    for nothing in (tmp_path / "empty", album / "*.ogg"):
        assert unmix("separate", nothing, "-o", out, "--model", model) == 1
        assert str(nothing) in capsys.readouterr().err


def test_stems_of_another_model_are_not_taken_for_this_ones(model, tmp_path, capsys):
    path = song(tmp_path / "a.wav", seconds=0.3)
    separate = ["separate", path, "-o", tmp_path / "out"]
    assert unmix(*separate, "--model", model) == 0
    assert unmix(*separate, "--model", model) == 0
    assert "already" in capsys.readouterr().out
    for other in (["--iterations", 1], ["--model", "umx-lite"]):
        arguments = other if "--model" in other else ["--model", model, *other]
        assert unmix(*separate, *arguments) == 1
        told = capsys.readouterr().err
        assert "of another run" in told and "--overwrite" in told
    assert unmix(*separate, "--model", model, "--iterations", 1, "--overwrite") == 0


def test_stems_can_be_named_after_the_song(model, tmp_path):
    path = song(tmp_path / "my song.wav", seconds=0.3)
    assert unmix("separate", path, "-o", tmp_path / "out", "--model", model, "--song-names") == 0
    names = sorted(file.name for file in (tmp_path / "out" / "my song").iterdir())
    assert names == [f"my song - {target}.wav" for target in sorted(TARGETS)]


@pytest.mark.parametrize("title", ["Who? ", "AC:DC", "con"])
def test_a_disk_that_takes_not_every_name(model, tmp_path, monkeypatch, capsys, title):
    """As FAT does: some letters are refused, and a blank at the end is dropped."""
    from pathlib import Path

    make = Path.mkdir

    def like_fat(self, *arguments, **options):
        if set(self.name) & set(':?"<>|*') or self.name.lower() == "con":
            raise OSError(22, "Invalid argument")
        make(self.with_name(self.name.rstrip(" .")), *arguments, **options)

    path = song(tmp_path / f"{title}.wav", seconds=0.3)
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(Path, "mkdir", like_fat)
    assert unmix("separate", path, "-o", tmp_path / "out", "--model", model) == 0
    assert "takes no folder of that name" in capsys.readouterr().out
    (folder,) = (tmp_path / "out").iterdir()
    assert len(list(folder.glob("*.wav"))) == 4


def test_leftovers_of_the_dead_are_removed(model, tmp_path):
    path = song(tmp_path / "a.wav", seconds=0.3)
    folder = tmp_path / "out" / "a"
    dead = begun_by_the_dead()
    (folder / f".{dead}-x").mkdir(parents=True)
    (folder / f".{dead}-x" / "0.w64").write_bytes(b"gigabytes")
    (folder / f".vocals.{dead}.wav").write_bytes(b"half")
    living = folder / f".{dead.rpartition('-')[0]}-{os.getppid()}-y"
    living.mkdir()
    assert unmix("separate", path, "-o", tmp_path / "out", "--model", model) == 0
    names = sorted(file.name for file in folder.iterdir())
    assert names == sorted([living.name, *(f"{target}.wav" for target in TARGETS)])


def test_high_rates_become_mp3s_own(model, tmp_path, capsys):
    path = song(tmp_path / "a.flac", rate=96000, seconds=0.3)
    arguments = ["separate", path, "-o", tmp_path / "out", "--model", model, "--format", "mp3"]
    assert unmix(*arguments) == 0
    assert "MP3 knows no 96000 Hz; its stems have 48000 Hz" in capsys.readouterr().out
    assert soundfile.info(tmp_path / "out" / "a" / "vocals.mp3").samplerate == 48000


def test_a_terminal_that_has_not_all_letters(model, tmp_path):
    path = song(tmp_path / "夜の歌.wav", seconds=0.3)
    command = [sys.executable, "-m", "unmix_lite", "separate", path, "-o", tmp_path / "out"]
    done = subprocess.run(
        [*map(str, command), "--model", str(model)], capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    assert (tmp_path / "out" / "夜の歌" / "vocals.wav").is_file()


def test_a_gpu_that_is_there_and_cannot_be_used(model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    path = song(tmp_path / "a.wav", seconds=0.3)
    assert unmix("separate", path, "-o", tmp_path / "out", "--model", model) == 0
    told = capsys.readouterr().err
    assert "cannot be used" in told and told.count("\n") == 1


@pytest.fixture
def data_set(tmp_path):
    """Three test songs of 1.5 s, and one of half a second."""
    for number, seconds in enumerate((1.5, 1.5, 1.5, 0.5)):
        for seed, target in enumerate(TARGETS):
            generator = torch.Generator().manual_seed(10 * number + seed)
            stem = 0.1 * torch.randn(2, round(seconds * 44100), generator=generator)
            save_audio(tmp_path / "data" / "test" / f"Song {number}" / f"{target}.wav", stem, 44100)
    return tmp_path / "data"


def test_evaluate_reports_a_bad_song_and_scores_the_others(data_set, tmp_path, capsys):
    scores = tmp_path / "scores"
    command = ["evaluate", "--corpus", data_set, "--model", "mixture", "--sdr-only", "-o", scores]
    for _ in range(2):  # at every restart
        assert unmix(*command) == 1
        told = capsys.readouterr()
        assert "median of 3 songs" in told.out
        line = told.err.strip().splitlines()[-1]
        assert line == "unmix-lite: Song 3: lasts 0.5 s, and frames of 1 s are scored."
    assert (scores / "scores.png").is_file()


def test_evaluate_notices_other_weights(data_set, model, tmp_path, capsys):
    scores, mine = tmp_path / "scores", tmp_path / "mine"
    shutil.copytree(model, mine)
    shutil.rmtree(data_set / "test" / "Song 3")
    command = ["evaluate", "--corpus", data_set, "--model", mine, "--sdr-only", "-o", scores]
    assert unmix(*command) == 0
    before = (scores / "scores.csv").read_text()
    torch.manual_seed(9)
    network = OpenUnmix(hidden_size=16).eval()
    save_network(mine, network, NetworkCard("drums", "OpenUnmix", network.arguments))
    capsys.readouterr()
    assert unmix(*command) == 0
    assert "has changed; its old scores are in" in capsys.readouterr().out
    assert (scores / "scores.csv").read_text() != before
    (aside,) = tmp_path.glob("scores.*")
    assert (aside / "scores.csv").read_text() == before


def test_evaluate_overwrites_on_demand(data_set, tmp_path, capsys):
    shutil.rmtree(data_set / "test" / "Song 3")
    command = ["evaluate", "--corpus", data_set, "--sdr-only", "-o", tmp_path / "scores"]
    assert unmix(*command, "--model", "mixture") == 0
    assert unmix(*command, "--model", "HPSS") == 1
    assert "--overwrite" in capsys.readouterr().err
    assert unmix(*command, "--model", "HPSS", "--overwrite") == 0
    assert unmix(*command, "--model", "HPSS") == 0


def test_export_overwrites_on_demand(model, tmp_path, capsys):
    command = ["export", "--model", model, "--targets", "bass", "--kinds", "int8", "-o", tmp_path]
    assert unmix(*command) == 0
    assert unmix(*command) == 1
    assert "is there already; --overwrite replaces it" in capsys.readouterr().err
    assert unmix(*command, "--overwrite") == 0


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names there are always Unicode")
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_names_in_other_encodings_and_other_scripts(model, tmp_path, encoding):
    """A file from an old disk, whose name is Latin-1, and one in Japanese, on any terminal."""
    songs = tmp_path / "songs"
    song(songs / "a.wav", seconds=0.3)
    os.rename(songs / "a.wav", os.fsencode(songs) + b"/caf\xe9.wav")
    song(songs / "\u65e5\u672c.flac", seconds=0.3)
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "unmix_lite", "separate", songs, "-o", tmp_path / "out",
               "--model", model, "--song-names"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    found = sorted(os.listdir(os.fsencode(tmp_path / "out")))
    assert found == [b"caf\xe9", "\u65e5\u672c".encode()]
    stems = os.listdir(os.fsencode(tmp_path / "out") + b"/caf\xe9")
    assert b"caf\xe9 - vocals.wav" in stems and len(stems) == 4
