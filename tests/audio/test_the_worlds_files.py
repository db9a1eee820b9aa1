"""Files as the world has them: what every player plays is read, and nothing is cut in silence."""

import shutil
import struct
import subprocess
import warnings

import pytest
import soundfile
import torch

from unmix_lite.audio import load_audio, save_audio, sound_files, write_audio
from unmix_lite.errors import AudioError, AudioWarning

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
RATE = 44100


def ffmpeg(*arguments):
    command = ["ffmpeg", "-v", "error", "-y", "-nostdin", *map(str, arguments)]
    subprocess.run(command, check=True)


@pytest.fixture
def sounds(tmp_path, tone):
    """Two tones of a second, as WAV: their paths."""
    paths = tmp_path / "a.wav", tmp_path / "b.wav"
    for path, frequency in zip(paths, (440.0, 880.0)):
        save_audio(path, tone(frequency, 1.0), RATE)
    return paths


def pitch(audio):
    """The loudest frequency, in Hz."""
    spectrum = torch.fft.rfft(audio[0]).abs()
    return float(spectrum.argmax()) * RATE / audio.shape[1]


@needs_ffmpeg
@pytest.mark.parametrize(
    "ending, options", [("mp3", []), ("mp3", ["-write_xing", "0"]), ("ogg", [])],
    ids=["mp3", "mp3 without a header", "ogg"],
)  # fmt: skip
def test_several_recordings_in_one_file(tmp_path, sounds, ending, options):
    parts = []
    for sound in sounds:
        ffmpeg("-i", sound, *options, sound.with_suffix(f".{ending}"))
        parts.append(sound.with_suffix(f".{ending}").read_bytes())
    path = tmp_path / f"both.{ending}"
    path.write_bytes(b"".join(parts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        audio, _ = load_audio(path)
    assert audio.shape[1] == pytest.approx(2 * RATE, abs=5000)
    assert pitch(audio[:, : RATE // 2]) == pytest.approx(440, abs=3)
    assert pitch(audio[:, -RATE // 2 :]) == pytest.approx(880, abs=3)


@pytest.mark.parametrize("bytes_too_many", [8, 44, 46, 400])
def test_a_header_that_promises_a_little_too_much(sounds, bytes_too_many):
    content = bytearray(sounds[0].read_bytes())
    place = content.index(b"data") + 4
    size = struct.unpack_from("<I", content, place)[0]
    struct.pack_into("<I", content, place, size + bytes_too_many)
    sounds[0].write_bytes(content)
    with pytest.warns(AudioWarning, match="more than there are; all sound was read"):
        audio, _ = load_audio(sounds[0])
    assert audio.shape == (2, RATE)


def test_half_a_file_says_how_much_is_missing(sounds):
    content = sounds[0].read_bytes()
    sounds[0].write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match=r"truncated: 0\.5 of 1\.0 s are missing.*keep what is"):
        load_audio(sounds[0])


@needs_ffmpeg
@pytest.mark.parametrize(
    "made, called",
    [
        ("a.m4a", "song.mp3"),
        ("a.aac", "song.mp3"),
        ("a.aac", "song"),
        ("a.m4a", "song.m4b"),
        ("a.wv", "song.wv"),
        ("a.mka", "song.mka"),
        ("a.wma", "song.wav"),
        ("a.mp3", "song.wav"),
        ("a.flac", "song.mp3"),
        ("a.ogg", "song"),
        ("a.aiff", "song.wav"),
    ],
)
def test_the_content_decides_and_not_the_name(tmp_path, sounds, made, called):
    ffmpeg("-i", sounds[0], tmp_path / made)
    (tmp_path / made).rename(tmp_path / called)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audio, rate = load_audio(tmp_path / called)
    assert rate == RATE and audio.shape[1] == pytest.approx(RATE, abs=4000)
    assert pitch(audio) == pytest.approx(440, abs=3)


@needs_ffmpeg
def test_stray_bytes_after_an_mp3(tmp_path, sounds):
    path = tmp_path / "a.mp3"
    ffmpeg("-i", sounds[0], "-write_xing", "0", "-id3v2_version", "0", path)
    path.write_bytes(path.read_bytes() + b"APETAGEX and other things " * 115)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        audio, _ = load_audio(path)
    assert audio.shape[1] == pytest.approx(RATE, abs=4000)


@pytest.mark.parametrize(
    "content, words",
    [
        (b"La la la.\n" * 100, "looks like text"),
        (b"<!DOCTYPE html><html><body>404", "looks like a web page"),
        (b"%PDF-1.7\n\x80\x81", "looks like a PDF"),
        (b"PK\x03\x04" + bytes(99), "looks like a ZIP archive"),
        (bytes(1000), "cannot be read as sound"),
    ],
)
@pytest.mark.parametrize("name", ["song.mp3", "song.wav", "song"])
def test_what_is_no_sound_is_told_in_one_line(tmp_path, content, words, name):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioError, match=words) as caught:
        load_audio(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("peak", [0.5, 2.0])
def test_a_wav_too_long_for_its_header_goes_on_as_rf64(tmp_path, monkeypatch, tone, peak):
    """Of four gigabytes, with a header that holds less."""
    monkeypatch.setattr(sound_files, "_WAV_HOLDS", 100_000)
    audio = tone(level=peak, seconds=2.0)
    path = tmp_path / "long.wav"
    write_audio(path, audio.split(10_000, 1), 2, RATE, peak)
    assert soundfile.info(path).format == "RF64"
    back, rate = load_audio(path)
    assert rate == RATE and back.shape == audio.shape
    assert (back - audio).abs().max() < 2**-22
    assert [file.name for file in tmp_path.iterdir()] == ["long.wav"]
    write_audio(path, audio[:, :9_000].split(1_000, 1), 2, RATE, peak)
    assert soundfile.info(path).format == "WAV"


def test_a_note_is_one_line_in_the_terminal(sounds, capsys, monkeypatch, tmp_path):
    """Of what was odd in a file that was read."""
    from unmix_lite import cli

    content = bytearray(sounds[0].read_bytes())
    place = content.index(b"data") + 4
    struct.pack_into("<I", content, place, struct.unpack_from("<I", content, place)[0] + 44)
    sounds[0].write_bytes(content)
    assert cli.main(["separate", str(sounds[0]), "-o", str(tmp_path / "out")]) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if "note:" in line]
    assert len(notes) == 1 and notes[0].startswith(f"unmix-lite: note: {sounds[0]}: its header")
