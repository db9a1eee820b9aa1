"""The embedded band: does the music agree with its score, and are the files whole?"""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from leftovers import begun_by_the_dead
from scipy.signal import find_peaks, stft

from unmix_lite.corpora.band import compose, play, render_band
from unmix_lite.corpora.band.bass import play_bass
from unmix_lite.corpora.band.drums import play_drums
from unmix_lite.corpora.band.names import name_song
from unmix_lite.corpora.band.score import chord_at, frequency
from unmix_lite.corpora.band.voice import play_voice
from unmix_lite.errors import CorpusError

STEMS = ("drums", "bass", "other", "vocals")
SMALL = {"train": 1, "test": 1, "seconds": 2.0, "rate": 16000, "progress": False}
RATE = 16000


def digests(root):
    """SHA-256 of every file below `root`, by its path there."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return render_band(tmp_path_factory.mktemp("small") / "band", **SMALL)


# --- the files ---------------------------------------------------------------------------------


def test_layout_is_that_of_musdb18_hq(band):
    for split, count in (("train", 4), ("test", 2)):
        folders = sorted((band / split).iterdir())
        assert len(folders) == count
        for folder in folders:
            assert sorted(p.name for p in folder.iterdir()) == sorted(
                f"{name}.wav" for name in ("mixture", *STEMS)
            )
            info = soundfile.info(folder / "mixture.wav")
            assert (info.samplerate, info.channels, info.subtype) == (44100, 2, "PCM_16")
            assert info.frames == 5 * 44100


def test_mixture_is_exactly_the_sum_and_no_stem_is_silent(band):
    for folder in band.glob("t*/*"):
        sounds = {
            name: soundfile.read(folder / f"{name}.wav", dtype="int16")[0].astype(int)
            for name in ("mixture", *STEMS)
        }
        np.testing.assert_array_equal(sounds["mixture"], sum(sounds[name] for name in STEMS))
        peak_db = 20 * np.log10(np.abs(sounds["mixture"]).max() / 32768)
        assert -2.5 < peak_db < -0.9
        for name in STEMS:
            level_db = 20 * np.log10(np.sqrt((sounds[name] ** 2).mean()) / 32768)
            assert -40 < level_db < -10, f"{folder.name}: {name} at {level_db:.1f} dB"


def test_musdb_reads_the_same_samples(band):
    import musdb

    tracks = musdb.DB(root=str(band), is_wav=True).tracks
    assert len(tracks) == 6
    track = tracks[0]
    folder = band / track.subset / track.name
    for name, audio in [("mixture", track.audio), ("bass", track.targets["bass"].audio)]:
        expected, rate = soundfile.read(folder / f"{name}.wav")
        assert track.rate == rate
        np.testing.assert_allclose(audio, expected, atol=1e-6)


def test_same_seed_same_bytes_in_another_process(small, tmp_path):
    code = (
        "import sys; from unmix_lite.corpora.band import render_band;"
        f"render_band(sys.argv[1], **{SMALL!r})"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "123", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path / "again")]
    subprocess.run(command, check=True, env=environment)
    assert digests(tmp_path / "again") == digests(small)


def test_songs_differ_between_seeds_splits_and_numbers():
    songs = [
        compose(0, 4.0), compose(0, 4.0, index=1), compose(0, 4.0, "test"), compose(1, 4.0),
    ]  # fmt: skip
    assert len({song.name for song in songs}) == 4
    assert len({song.vocals for song in songs}) == 4
    assert len({song.drums for song in songs}) == 4


def test_names_are_unique_and_splits_share_no_artist():
    train = [name_song(3, "train", i) for i in range(600)]
    test = [name_song(3, "test", i) for i in range(250)]
    assert len(set(train + test)) == 850
    assert not {artist for artist, _ in train} & {artist for artist, _ in test}


# --- rendering: again, interrupted, refused ----------------------------------------------------


def test_a_second_call_does_nothing(small):
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    assert render_band(small, **SMALL) == small
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == before


def test_an_interrupted_rendering_is_completed(small, tmp_path, monkeypatch):
    root = tmp_path / "band"
    write = soundfile.write
    written = []

    def interrupted(path, *args, **kwargs):
        if len(written) == 7:  # two files into the second song
            raise KeyboardInterrupt
        written.append(path)
        write(path, *args, **kwargs)

    monkeypatch.setattr(soundfile, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render_band(root, **SMALL)
    assert not (root / "band.json").exists()
    assert len(list(root.glob("t*/*"))) == 1  # whole, and no half song beside it
    monkeypatch.setattr(soundfile, "write", write)

    # A killed process leaves its temporary folder behind.
    dead = root / f".{begun_by_the_dead()}"
    dead.mkdir()
    first = next(root.glob("t*/*/mixture.wav"))
    age = first.stat().st_mtime_ns
    render_band(root, **SMALL)
    assert first.stat().st_mtime_ns == age  # not rendered twice
    assert digests(root) == digests(small)
    assert not dead.exists()


def test_a_deleted_song_is_rendered_again(small, tmp_path):
    root = tmp_path / "band"
    render_band(root, **SMALL)
    song = next(root.glob("train/*"))
    for file in song.iterdir():
        file.unlink()
    song.rmdir()
    render_band(root, **SMALL)
    assert digests(root) == digests(small)


def test_a_song_that_lost_a_stem_is_reported(tmp_path):
    root = tmp_path / "band"
    render_band(root, **{**SMALL, "test": 0})
    lost = next(root.glob("train/*/bass.wav"))
    lost.unlink()
    with pytest.raises(CorpusError, match="lacks bass.wav"):
        render_band(root, **{**SMALL, "test": 0})


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path):
    precious = tmp_path / "thesis.txt"
    precious.write_text("years of work")
    with pytest.raises(CorpusError, match="not empty"):
        render_band(tmp_path, **SMALL)
    with pytest.raises(CorpusError, match="is a file"):
        render_band(precious, **SMALL)
    with pytest.raises(CorpusError, match="Cannot write"):
        render_band(precious / "band", **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert precious.read_text() == "years of work"


def test_another_rendering_is_refused_and_left_alone(small):
    before = digests(small)
    with pytest.raises(CorpusError, match="seed 0 instead of 1"):
        render_band(small, **{**SMALL, "seed": 1})
    assert digests(small) == before


@pytest.mark.parametrize(
    "wrong",
    [{"seconds": 1.0}, {"seconds": float("nan")}, {"rate": 4000}, {"rate": 96000}, {"seed": -1},
     {"train": 0, "test": 0}, {"train": -1}],
)  # fmt: skip
def test_arguments_out_of_range_get_one_line(tmp_path, wrong):
    with pytest.raises(CorpusError) as caught:
        render_band(tmp_path / "band", **{**SMALL, **wrong})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "band").exists()


# --- the music against its score ----------------------------------------------------------------


def measured_tempo(drums, rate):
    """Tempo (BPM, 75 to 155) whose beat best explains the onsets, by autocorrelation."""
    hop = rate // 200
    _, _, spectrum = stft(drums.mean(axis=0), rate, nperseg=4 * hop, noverlap=3 * hop)
    flux = np.maximum(np.diff(np.log(np.abs(spectrum) + 1e-3), axis=1), 0).sum(axis=0)
    flux -= flux.mean()
    correlation = np.correlate(flux, flux, "full")[len(flux) - 1 :]
    tempos = np.arange(75, 155, 0.25)
    lags = 200 * 60 / tempos
    # A beat repeats after one, two and four of its length, a bar being four.
    strength = sum(np.interp(k * lags, np.arange(len(correlation)), correlation) for k in (1, 2, 4))
    return tempos[strength.argmax()]


@pytest.mark.parametrize("index", range(6))
def test_drums_keep_the_tempo(index):
    song = compose(11, 12.0, index=index)
    drums = play_drums(song, RATE, np.random.default_rng(index))
    ratio = measured_tempo(drums, RATE) / song.tempo
    # Hearing double or half the tempo is no mistake; hearing anything else is.
    assert min(abs(ratio / r - 1) for r in (0.5, 1, 2)) < 0.01


def strongest_pitch_class(sound, rate):
    """Pitch class whose harmonics hold most of the spectrum, for a single low note."""
    n_fft = 1 << 17
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), n_fft))
    pitches = np.arange(26, 62)
    grid = np.arange(len(spectrum)) * rate / n_fft
    scores = [
        sum(np.interp(k * frequency(p), grid, spectrum) / k**0.5 for k in range(1, 6))
        for p in pitches
    ]
    return int(pitches[np.argmax(scores)]) % 12


@pytest.mark.parametrize("index", range(4))
def test_bass_follows_the_chord_roots(index):
    song = compose(5, 12.0, index=index)
    bass = play_bass(song, RATE, np.random.default_rng(index)).mean(axis=0)
    played, on_root = 0, 0
    for note in song.bass:
        if note.duration < 0.15 or note.start + note.duration > song.seconds:
            continue
        span = slice(int((note.start + 0.02) * RATE), int((note.start + note.duration) * RATE))
        heard = strongest_pitch_class(bass[span], RATE)
        played += 1
        assert heard == note.pitch % 12
        on_root += heard == chord_at(song.chords, note.start + 0.02).root
    assert played >= 8
    assert on_root / played > 0.3
    # Each chord begins with its root, up to what the pattern leaves out.
    firsts = [
        next((n for n in song.bass if c.start - 0.02 <= n.start < c.start + c.duration), None)
        for c in song.chords
    ]
    matching = [n.pitch % 12 == c.root for n, c in zip(firsts, song.chords) if n is not None]
    assert matching and all(matching)


def measured_pitch(sound, rate, low, high):
    """Pitch (MIDI) between `low` and `high` by autocorrelation, octave by the first high peak."""
    spectrum = np.fft.rfft(sound * np.hanning(len(sound)), 4 * len(sound))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: len(sound)]
    shortest, longest = int(rate / frequency(high)), int(rate / frequency(low)) + 1
    peaks, _ = find_peaks(correlation)
    peaks = peaks[(peaks >= shortest) & (peaks <= longest)]
    peak = peaks[correlation[peaks] > 0.85 * correlation[peaks].max()][0]
    before, at, after = correlation[peak - 1 : peak + 2]
    lag = peak + 0.5 * (before - after) / (before - 2 * at + after)
    return 69 + 12 * np.log2(rate / lag / 440)


@pytest.mark.parametrize("index", range(4))
def test_voice_sings_the_melody(index):
    song = compose(2, 12.0, index=index)
    # The lead alone: the second voice sings other notes on purpose.
    alone = type(song)(**{**vars(song), "harmony": ()})
    voice = play_voice(alone, 44100, np.random.default_rng(index)).mean(axis=0)
    errors = []
    for syllable in song.vocals:
        if syllable.duration < 0.25 or syllable.end > song.seconds:
            continue
        middle = int((syllable.start + 0.55 * syllable.duration) * 44100)
        window = voice[middle - 1600 : middle + 1600]
        pitch = measured_pitch(window, 44100, syllable.pitch - 14, syllable.pitch + 14)
        errors.append(abs(pitch - syllable.pitch))
    assert len(errors) >= 8
    assert np.median(errors) < 0.25  # semitones
    assert np.max(errors) < 0.7  # vibrato, and the way from note to note


def test_score_is_in_range_and_in_key():
    for index in range(30):
        song = compose(8, 10.0, index=index)
        assert 80 <= song.tempo <= 150
        assert song.mode in ("major", "minor")
        assert 40 < min(s.pitch for s in song.vocals) and max(s.pitch for s in song.vocals) < 80
        assert song.other and song.other[0].notes
        assert len(song.lyrics.splitlines()) >= 2
        starts = [s.start for s in song.vocals]
        assert starts == sorted(starts)
        assert all(a.end <= b.start + 1e-6 for a, b in zip(song.vocals, song.vocals[1:]))
        roots = {(chord.root - song.key) % 12 for chord in song.chords}
        scale = {0, 2, 4, 5, 7, 9, 10, 11} if song.mode == "major" else {0, 2, 3, 5, 7, 8, 10}
        assert roots <= scale


# --- any length, any rate; worth separating -----------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
@pytest.mark.parametrize("seconds", [2.0, 3.3])
def test_any_length_and_rate(rate, seconds):
    sounds = play(compose(4, seconds), rate, seed=4)
    for name in STEMS:
        assert sounds[name].shape == (2, round(seconds * rate))
        assert sounds[name].dtype == np.int16
        assert np.abs(sounds[name]).max() > 300


def test_stems_can_be_told_apart_and_need_to_be(band):
    """As in MUSDB18, the mixture is a poor estimate of a stem, an ideal ratio mask a good one."""
    from scipy.signal import istft

    mixture_sdr, oracle_sdr = [], []
    for folder in band.glob("t*/*"):
        stems = np.stack([soundfile.read(folder / f"{name}.wav")[0].T for name in STEMS])
        spectra = stft(stems, nperseg=2048, noverlap=1536)[2]
        magnitudes = np.abs(spectra)
        masks = magnitudes / (magnitudes.sum(axis=0) + 1e-9)
        estimates = istft(masks * spectra.sum(axis=0), nperseg=2048, noverlap=1536)[1]
        estimates = estimates[..., : stems.shape[-1]]
        energy = (stems**2).sum(axis=(1, 2))
        interference = ((stems.sum(axis=0) - stems) ** 2).sum(axis=(1, 2))
        error = ((estimates - stems) ** 2).sum(axis=(1, 2))
        mixture_sdr.append(10 * np.log10(energy / interference))
        oracle_sdr.append(10 * np.log10(energy / error))
    assert np.all((np.mean(mixture_sdr, axis=0) > -11) & (np.mean(mixture_sdr, axis=0) < -1))
    assert np.all(np.mean(oracle_sdr, axis=0) > 6)
