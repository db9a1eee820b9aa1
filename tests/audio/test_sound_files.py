"""Sound files: what goes in comes out, and what cannot is said in one line."""

import math
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch

from unmix_lite.audio import (
    STEM_NAMES,
    check_audio,
    fit_length,
    load_audio,
    load_stems,
    resample,
    save_audio,
)
from unmix_lite.audio import sound_files as audio_module
from unmix_lite.errors import AudioError, DiskFull
from unmix_lite.files import atomic

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")


def refused(what, *words):
    """A context in which an AudioError is due: one line with the file's name and these words."""
    return _Refused([str(what), *words])


class _Refused:
    def __init__(self, words):
        self.words = words

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        assert kind is AudioError, f"expected an AudioError, got {kind}"
        message = str(error)
        assert "\n" not in message and message.endswith((".", "?", ".)")), message
        for word in self.words:
            assert word in message, f"'{word}' is not in: {message}"
        return True


def snr(reference, estimate):
    """Signal-to-noise ratio in dB."""
    return 10 * math.log10(
        float(reference.double().square().sum())
        / max(float((reference.double() - estimate.double()).square().sum()), 1e-30)
    )


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


@pytest.fixture
def music(tone):
    """Two seconds of a chord with a little noise, louder on the left."""
    noise = 0.01 * torch.randn(2, 88200, generator=torch.Generator().manual_seed(0))
    chord = sum(tone(f, 2.0, level=0.2) for f in (220.0, 440.0, 1000.0))
    return chord * torch.tensor([[1.0], [0.7]]) + noise


# --- Round trips -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "suffix, at_least", [(".wav", 120), (".flac", 120), (".ogg", 20), (".mp3", 20)]
)
@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_round_trip(tmp_path, music, suffix, at_least, rate):
    path = tmp_path / "made" / f"song{suffix}"
    save_audio(path, music, rate)
    back, own_rate = load_audio(path)
    assert (back.shape, back.dtype, own_rate) == (music.shape, torch.float32, rate)
    assert snr(music, back) > at_least
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("channels", [1, 6])
def test_other_numbers_of_channels(tmp_path, music, suffix, channels):
    many = torch.cat([music, music.flip(1), 0.5 * music.flip(0)])[:channels]
    save_audio(tmp_path / f"song{suffix}", many, 44100)
    back, _ = load_audio(tmp_path / f"song{suffix}")
    assert back.shape == many.shape
    assert all(snr(a, b) > 100 for a, b in zip(many, back))


def test_mono_may_be_one_dimensional(tmp_path, music):
    save_audio(tmp_path / "mono.wav", music[0].numpy(), 44100)
    assert snr(music[:1], load_audio(tmp_path / "mono.wav")[0]) > 120


def test_full_scale_is_not_clipped(tmp_path, music):
    for peak in (1.0, 3.5):
        loud = music / music.abs().max() * peak
        save_audio(tmp_path / "loud.wav", loud, 44100)
        assert torch.equal(load_audio(tmp_path / "loud.wav")[0], loud)
    for suffix in (".flac", ".ogg", ".mp3"):
        path = tmp_path / f"loud{suffix}"
        with refused(path, "10.9 dB above full scale", ".wav"):
            save_audio(path, loud, 44100)
        assert not path.exists()


def test_a_whole_song_as_ogg(tmp_path):
    """libsndfile's Vorbis encoder crashes when it is handed minutes in one piece."""
    song = 0.1 * torch.randn(1, 44100 * 90, generator=torch.Generator().manual_seed(0))
    save_audio(tmp_path / "song.ogg", song, 44100)
    assert load_audio(tmp_path / "song.ogg")[0].shape == song.shape


@needs_ffmpeg
@pytest.mark.parametrize("suffix", [".m4a", ".aac", ".mkv"])
def test_other_containers(tmp_path, music, suffix):
    save_audio(tmp_path / "song.wav", music, 44100)
    path = tmp_path / f"Artist: Song{suffix}"  # to ffmpeg a colon looks like a protocol
    ffmpeg("-i", tmp_path / "song.wav", f"file:{path}")
    back, rate = load_audio(path)
    assert rate == 44100 and back.shape[0] == 2
    assert 0 <= back.shape[1] - 88200 < 4096  # AAC comes in frames of 1024
    lag = 1024 if suffix == ".aac" else 0  # the bare stream does not tell of its priming
    assert snr(music[:, 1000:80000], back[:, 1000 + lag : 80000 + lag]) > 15


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_files_written_to_a_pipe(tmp_path, music, suffix):
    """Such files do not know how long they are; all of their samples are read all the same."""
    save_audio(tmp_path / "song.wav", music, 44100)
    path = tmp_path / f"piped.{suffix}"
    codec = ["-c:a", "libvorbis"] if suffix == "ogg" else []
    with open(path, "wb") as file:
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", tmp_path / "song.wav", *codec, "-f", suffix, "-"],
            stdout=file, check=True,
        )  # fmt: skip
    assert 0 <= load_audio(path)[0].shape[1] - 88200 < 4 * 1152


@needs_ffmpeg
def test_an_mp3_without_a_header_is_read_to_its_end(tmp_path):
    """libsndfile guesses from the first frames: loud ones make it stop after a fifth of this."""
    noise = 0.2 * torch.randn(2, 44100 * 10, generator=torch.Generator().manual_seed(0))
    noise[:, 44100 * 2 : 44100 * 9] = 0
    save_audio(tmp_path / "song.wav", noise, 44100)
    ffmpeg("-i", tmp_path / "song.wav", "-q:a", 4, "-write_xing", 0, tmp_path / "song.mp3")
    back, _ = load_audio(tmp_path / "song.mp3")
    assert 0 <= back.shape[1] - noise.shape[1] < 4 * 1152
    assert float(back[:, -30000:].abs().max()) > 0.2
    assert float(back[:, 44100 * 3 : 44100 * 8].abs().max()) < 1e-3


# --- Resampling ------------------------------------------------------------------------------


@pytest.mark.parametrize("source, target", [(44100, 48000), (48000, 44100), (44100, 16000)])
def test_resampling_keeps_a_sine(tone, source, target):
    sine = tone(997.0, 1.0, source)[:, :-3]  # a length that does not divide evenly
    there = resample(sine, source, target)
    assert there.shape == (2, math.ceil((source - 3) * target / source))
    assert there.dtype == torch.float32
    inner = slice(2000, -2000)  # at the ends the filter sees the silence around
    expected = tone(997.0, 1.1, target)[:, : there.shape[1]]
    assert snr(expected[:, inner], there[:, inner]) > 80
    back = fit_length(resample(there, target, source), sine.shape[1])
    assert snr(sine[:, inner], back[:, inner]) > 80


def test_resampling_removes_what_the_new_rate_cannot_hold(tone):
    assert float(resample(tone(15000.0), 44100, 16000)[:, 500:-500].abs().max()) < 1e-4


def test_resampling_short_and_many_channels(tone):
    assert resample(torch.ones(1, 1), 44100, 48000).shape == (1, 2)
    many = torch.cat([tone(100.0 * (i + 1), channels=1) for i in range(6)])
    result = resample(many, 44100, 22050)
    for i, channel in enumerate(result):
        assert snr(resample(many[i : i + 1], 44100, 22050)[0], channel) > 100
    assert resample(many, 44100, 44100) is many


def test_load_at_another_rate(tmp_path, tone):
    save_audio(tmp_path / "a.wav", tone(440.0, 1.0, 8000), 8000)
    audio, rate = load_audio(tmp_path / "a.wav", rate=44100)
    assert rate == 44100 and audio.shape == (2, 44100)
    assert snr(tone(440.0)[:, 2000:-2000], audio[:, 2000:-2000]) > 80


def test_fit_length():
    assert fit_length(torch.ones(2, 3), 5).tolist() == [[1, 1, 1, 0, 0]] * 2
    assert fit_length(torch.ones(2, 3), 2).tolist() == [[1, 1]] * 2


# --- What cannot be read ---------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
@pytest.mark.parametrize("kept", [0.999, 0.6, 0.01])
def test_truncated_files(tmp_path, music, suffix, kept):
    path = tmp_path / f"song{suffix}"
    save_audio(path, music, 44100)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with refused(path):
        load_audio(path)


@pytest.mark.parametrize("file_format", ["AIFF", "RF64", "WAVEX"])
def test_truncated_files_of_rarer_kinds(tmp_path, music, file_format):
    path = tmp_path / f"song.{file_format.lower()}"
    soundfile.write(path, music.numpy().T, 44100, format=file_format)
    assert load_audio(path)[0].shape == music.shape
    path.write_bytes(path.read_bytes()[:-1000])
    with refused(path, "truncated"):
        load_audio(path)


@needs_ffmpeg
@pytest.mark.parametrize("index_first", [False, True])
def test_truncated_mp4(tmp_path, music, index_first):
    save_audio(tmp_path / "song.wav", music, 44100)
    path = tmp_path / "song.m4a"
    ffmpeg("-i", tmp_path / "song.wav", *(["-movflags", "faststart"] * index_first), path)
    path.write_bytes(path.read_bytes()[: int(0.8 * path.stat().st_size)])
    with refused(path):
        load_audio(path)


@needs_ffmpeg
def test_tags_before_an_mp3_are_no_sound(tmp_path, music):
    save_audio(tmp_path / "plain.mp3", music, 44100)
    path = tmp_path / "tagged.mp3"
    ffmpeg("-i", tmp_path / "plain.mp3", "-c", "copy", "-metadata", "comment=" + "x" * 9000, path)
    assert path.read_bytes()[:3] == b"ID3"
    assert load_audio(path)[0].shape[1] >= music.shape[1]
    path.write_bytes(path.read_bytes()[:-500])
    with refused(path, "truncated"):
        load_audio(path)


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".stem.mp4"])
def test_files_that_are_no_sound(tmp_path, suffix):
    path = tmp_path / f"notes{suffix}"
    readers = [load_audio, load_stems] if suffix == ".stem.mp4" else [load_audio]
    for read in readers:
        path.unlink(missing_ok=True)
        with refused(path, "no such file"):
            read(path)
        path.write_bytes(b"")
        with refused(path, "empty"):
            read(path)
        path.write_text("These are my notes.\nThey hold no sound.\n" * 50)
        with refused(path):
            read(path)
    with refused(tmp_path, "no such file"):
        load_audio(tmp_path)


def test_a_sound_without_samples(tmp_path):
    path = tmp_path / "nothing.wav"
    soundfile.write(path, np.zeros((0, 2), np.float32), 44100)
    with refused(path, "no samples"):
        load_audio(path)


def test_samples_that_are_not_finite(tmp_path, music):
    path = tmp_path / "broken.wav"
    broken = music.clone()
    broken[0, 10], broken[1, 20] = math.nan, math.inf
    soundfile.write(path, broken.numpy().T, 44100, subtype="FLOAT")
    with refused(path, "2 samples"):
        load_audio(path)
    with refused("out.wav", "2 samples"):
        save_audio(tmp_path / "out.wav", broken, 44100)
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("shape", [(0, 10), (2, 0), (2, 3, 4), (5,)])
def test_check_audio(shape):
    with refused("the song"):
        check_audio(torch.zeros(shape), "the song")
    check_audio(torch.zeros(6, 1), "the song")


@needs_ffmpeg
def test_a_file_without_ffmpeg(tmp_path, monkeypatch):
    path = tmp_path / "song.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0")
    monkeypatch.setenv("PATH", "")
    with refused(path, "needs ffmpeg"):
        load_audio(path)


# --- What cannot be written ------------------------------------------------------------------


def test_formats_that_do_not_hold_it(tmp_path, music):
    for name, sound, rate in [
        ("a.aac", music, 44100), ("a", music, 44100), ("a.mp3", music, 37800),
        ("a.mp3", music.repeat(3, 1), 44100), ("a.ogg", music.repeat(3, 1), 44100),
        ("a.flac", music.repeat(5, 1), 44100),
    ]:  # fmt: skip
        with refused(tmp_path / name):
            save_audio(tmp_path / name, sound, rate)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file(tmp_path, music):
    (tmp_path / "folder").write_text("a file")
    with refused(tmp_path / "folder" / "a.wav", "cannot be written"):
        save_audio(tmp_path / "folder" / "a.wav", music, 44100)


def test_a_failure_leaves_the_old_file(tmp_path, music, monkeypatch):
    path = tmp_path / "song.wav"
    save_audio(path, music, 44100)
    before = path.read_bytes()

    def fail(self, block):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audio_module.soundfile.SoundFile, "write", fail)
    with pytest.raises(DiskFull, match=f"^{re.escape(str(tmp_path))}: there is no room left"):
        save_audio(path, 0.5 * music, 44100)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["song.wav"]


def test_atomic(tmp_path):
    path = tmp_path / "new" / "weights.bin"
    with pytest.raises(KeyboardInterrupt), atomic(path) as partial:
        partial.write_text("half")
        assert partial.suffix == ".bin" and partial.parent == path.parent
        raise KeyboardInterrupt
    assert list(path.parent.iterdir()) == []
    with atomic(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole" and list(path.parent.iterdir()) == [path]


# --- Stems -----------------------------------------------------------------------------------


@needs_ffmpeg
def test_stems_of_a_real_song(musdb7):
    path = sorted((musdb7 / "train").glob("*.stem.mp4"))[0]
    stems, rate = load_stems(path)
    assert tuple(stems) == STEM_NAMES and rate == 44100
    assert {tuple(stem.shape) for stem in stems.values()} == {(2, 300032)}
    total = sum(stems[name] for name in STEM_NAMES[1:])
    assert snr(stems["mixture"], total) > 20
    mixture, _ = load_audio(path)
    torch.testing.assert_close(mixture, stems["mixture"], rtol=0, atol=1e-6)


@pytest.fixture
def stem_file(tmp_path, tone):
    """A function that writes a .stem.mp4 of one sine for each (frequency, seconds, channels)."""

    def write(*streams):
        path = tmp_path / "song.stem.mp4"
        inputs = []
        for i, (frequency, seconds, channels) in enumerate(streams):
            save_audio(tmp_path / f"{i}.wav", tone(frequency, seconds, channels=channels), 44100)
            inputs += ["-i", tmp_path / f"{i}.wav"]
        maps = [part for i in range(len(streams)) for part in ("-map", f"{i}:a")]
        ffmpeg(*inputs, *maps, path)
        return path

    return write


@needs_ffmpeg
def test_stems_come_in_their_order(stem_file, tone):
    frequencies = (200.0, 400.0, 800.0, 1600.0, 3200.0)
    stems, _ = load_stems(stem_file(*((f, 1.0, 2) for f in frequencies)))
    for frequency, stem in zip(frequencies, stems.values()):
        assert snr(tone(frequency)[:, 4000:40000], stem[:, 4000:40000]) > 20


@needs_ffmpeg
def test_stems_that_differ_or_lack(stem_file):
    even = [(440.0, 1.0, 2)] * 4
    path = stem_file(*even)
    with refused(path, "4 audio streams where 5"):
        load_stems(path)
    path = stem_file(*even, (440.0, 0.5, 2))
    with refused(path, "length"):
        load_stems(path)
    path = stem_file(*even, (440.0, 1.0, 1))
    with refused(path, "channels"):
        load_stems(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a process's peak memory")
def test_a_long_file_is_never_in_memory_twice(tmp_path):
    """Four minutes of stereo, 85 MB as floats: the peak beyond them is a fraction."""
    samples = 240 * 44100
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 44100, 2) as file:
        for _ in range(240):
            file.write(np.full((44100, 2), 0.1))
    code = (
        "import resource, sys; from unmix_lite import load_audio\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "unit = 1 if sys.platform == 'darwin' else 1024\n"
        "load_audio(sys.argv[1] + '/short.wav'); before = peak()\n"
        "audio, _ = load_audio(sys.argv[1] + '/long.wav')\n"
        "print(audio.shape[1], (peak() - before) * unit)"
    )
    soundfile.write(tmp_path / "short.wav", np.full((44100, 2), 0.1), 44100)
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    length, grown = map(int, done.stdout.split())
    assert length == samples
    assert grown < 1.5 * 8 * samples
