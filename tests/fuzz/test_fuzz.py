"""Damaged files of every kind: each is read, or refused in one line; never a traceback, and never
memory for what a header only promises."""

import json
import resource
import shutil
import subprocess
import sys
import warnings

import nbformat
import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged, edits, misplaced, misplacings
from tiny_training import fit, write_corpus
from untrained import small

from unmix_lite.audio import comment_of, holds_sound, load_audio, load_stems, sound_header
from unmix_lite.corpora import Corpus, Track, open_corpus
from unmix_lite.errors import UnmixError
from unmix_lite.evaluation import TrackScores, score_song
from unmix_lite.names import TARGETS
from unmix_lite.separation import Separator
from unmix_lite.training import load_state
from unmix_lite.weights import NetworkCard, load_network, save_network

FFMPEG = shutil.which("ffmpeg")
CLASSROOM = ("book", "_tools", "classroom")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True, scope="module")
def bounded_memory():
    """Whatever the files promise, this process never takes a gigabyte more."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # in kB


def refused_or(read, *arguments):
    """Call; an UnmixError of one line will do, anything else that is raised is a finding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read(*arguments)
        except UnmixError as error:
            assert str(error) and "\n" not in str(error)
            return None


def seeds(folder):
    """Small sound files of every kind, by suffix."""
    noise = np.random.default_rng(0).standard_normal((4000, 2)) / 10
    made = {}
    for suffix, options in {
        "wav": {"subtype": "PCM_16"}, "flac": {}, "ogg": {}, "mp3": {}, "aiff": {}, "w64": {},
        "au": {}, "caf": {},
    }.items():  # fmt: skip
        soundfile.write(folder / f"seed.{suffix}", noise, 44100, **options)
        made[suffix] = (folder / f"seed.{suffix}").read_bytes()
    if FFMPEG:
        for suffix in ("m4a", "wv", "mka"):
            command = ["ffmpeg", "-v", "error", "-y", "-i", folder / "seed.wav"]
            subprocess.run([*command, folder / f"seed.{suffix}"], check=True)
            made[suffix] = (folder / f"seed.{suffix}").read_bytes()
    return made


KINDS = ("wav", "flac", "ogg", "mp3", "aiff", "w64", "au", "caf", "m4a", "wv", "mka")


@pytest.mark.parametrize("kind", KINDS)
def test_sound(folder, kind):
    content = seeds(folder).get(kind)
    if content is None:
        pytest.skip("needs ffmpeg")
    path = folder / f"damaged.{kind}"

    @given(edits)
    def check(changes):
        path.write_bytes(damaged(content, changes))
        read = refused_or(load_audio, path)
        if read is not None:
            audio, rate = read
            assert audio.dtype == torch.float32 and audio.ndim == 2 and rate > 0
            assert audio.isfinite().all()
        holds_sound(path)
        comment_of(path)
        refused_or(sound_header, path)

    check()


@given(st.binary(max_size=3000))
def test_anything_at_all(folder, content):
    path = folder / "anything"
    path.write_bytes(content)
    refused_or(load_audio, path)


@pytest.mark.skipif(not FFMPEG, reason="needs ffmpeg")
def test_stems_of_a_film(folder):
    source, path = folder / "stems.wav", folder / "song.stem.mp4"
    noise = np.random.default_rng(1).standard_normal((4410, 2)) / 10
    soundfile.write(source, noise, 44100)
    inputs = ["-i", source] * 5
    maps = [word for number in range(5) for word in ("-map", f"{number}:a")]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *inputs, *maps, path], check=True)
    content, broken = path.read_bytes(), folder / "broken.stem.mp4"

    @given(edits)
    def check(changes):
        broken.write_bytes(damaged(content, changes))
        refused_or(load_stems, broken)

    check()


class Content(bytes):
    """Bytes that a report of a failure does not print."""

    def __repr__(self):
        return f"<{len(self)} bytes>"


@pytest.fixture(scope="module")
def weights(folder):
    network = small(hidden_size=8, max_bin=40, nb_bins=65)
    card = NetworkCard("vocals", "OpenUnmix", network.arguments, 128, 32, 8000)
    return Content(save_network(folder / "whole", network, card).read_bytes())


def load_and_use(path):
    """What a user does with weights: look at them, and separate."""
    network, card = load_network(path)
    separator = Separator({card.target: network}, None, False, None, card.rate, card.n_fft,
                          card.hop_length)  # fmt: skip
    return separator(torch.zeros(2, 500))


@given(edits)
def test_weights(folder, weights, changes):
    path = folder / "vocals.safetensors"
    path.write_bytes(damaged(weights, changes))
    refused_or(load_and_use, path)


@given(misplacings)
def test_headers_of_weights(folder, weights, changes):
    size = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + size])
    card = misplaced(json.loads(header["__metadata__"]["unmix_lite"]), changes)
    header["__metadata__"]["unmix_lite"] = json.dumps(card)
    text = json.dumps(header).encode()
    path = folder / "vocals.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + weights[8 + size :])
    refused_or(load_and_use, path)


@pytest.fixture(scope="module")
def state(folder):
    fit(write_corpus(folder / "songs"), folder / "training", steps=2)
    return Content((folder / "training" / "vocals.state.safetensors").read_bytes())


@given(edits)
def test_states_of_trainings(folder, state, changes):
    path = folder / "broken.state.safetensors"
    path.write_bytes(damaged(state, changes))
    refused_or(load_state, path)


@given(misplacings, edits, st.booleans())
def test_scores(folder, misplacing, changes, in_place):
    stems = {"vocals": torch.randn(2, 8000), "drums": torch.randn(2, 8000)}
    path = folder / "scores.json"
    score_song("Song", stems, stems, 4000, "sdr").save(path)
    content = path.read_bytes()
    if in_place:
        content = json.dumps(misplaced(json.loads(content), misplacing)).encode()
    else:
        content = damaged(content, changes)
    path.write_bytes(content)
    refused_or(TrackScores.load, path)


NAMES = st.sampled_from([
    "vocals.wav", "Vocals.WAV", "drums.wav", "bass.flac", "bass.wav", "other.mp3", "mixture.wav",
    "other", "notes.txt", ".vocals.wav", "vocals .wav", "cover.jpg", "däms.wav", "vocals",
])  # fmt: skip


@given(st.lists(st.tuples(NAMES, edits, st.booleans()), max_size=6, unique_by=lambda x: x[0]))
def test_folders_of_songs(folder, files):
    content = seeds(folder)
    root = folder / "corpus"
    shutil.rmtree(root, ignore_errors=True)
    song = root / "train" / "Song"
    song.mkdir(parents=True)
    for name, changes, whole in files:
        seed = content.get(name.rpartition(".")[2].lower(), content["wav"])
        (song / name).write_bytes(seed if whole else damaged(seed, changes))
    track = Track("Song", song, "train")
    refused_or(lambda: track.names)
    refused_or(lambda: track.rate)
    refused_or(track.problem, TARGETS)
    refused_or(track.stems)
    refused_or(track.mixture)
    refused_or(lambda: Corpus("mine", root, "").tracks("valid"))
    refused_or(open_corpus, root)


@pytest.fixture(scope="module")
def submission(repository):
    """The module that reads what students hand in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repository.joinpath(*CLASSROOM))
        import submission

        yield submission


@pytest.fixture(scope="module")
def assignment(repository):
    path = repository / "notebooks" / "assignments" / "A2_masks_and_oracles.ipynb"
    return json.loads(path.read_text())


def take(submission, source, path):
    """As `make grade` takes a notebook, which must afterwards be one."""
    try:
        notebook = submission.read(path)
        submission.assignment_of(path, notebook, ["A2"])
    except submission.Unreadable as error:
        assert str(error) and "\n" not in str(error)
        return
    result, remarks = submission.gradable(source, source, notebook)
    nbformat.validate(nbformat.from_dict(json.loads(json.dumps(result))))
    assert all(isinstance(remark, str) for remark in remarks)


@given(st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 4)), max_size=3), misplacings,
       edits, st.booleans())  # fmt: skip
def test_submissions(folder, submission, assignment, moves, misplacing, changes, in_place):
    path = folder / "A2.ipynb"
    document = misplaced(assignment, misplacing) if in_place else json.loads(json.dumps(assignment))
    cells = document.get("cells")
    for place, kind in moves if isinstance(cells, list) else []:
        if cells:
            cell = cells.pop(place % len(cells))
            cells[:] = {0: cells, 1: [*cells, cell], 2: [cell, *cells], 3: [*cells, cell, cell],
                        4: cells[: place % 7]}[kind]  # fmt: skip
    content = json.dumps(document).encode()
    path.write_bytes(content if in_place else damaged(content, changes))
    take(submission, assignment, path)


def test_this_process_is_still_whole():
    """A reader that has written where it should not shows it late."""
    done = subprocess.run([sys.executable, "-c", "import unmix_lite"], capture_output=True)
    assert done.returncode == 0
