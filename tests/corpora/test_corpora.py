"""Data sets: which one is opened and why, the preview's download, songs and their stems."""

import contextlib
import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import soundfile
import torch
from zenodo import serving, zip_of

from unmix_lite import corpora, save_audio
from unmix_lite.corpora import (
    ARCHIVE,
    MUSDB_VALIDATION,
    ZENODO_RECORD,
    Corpus,
    Track,
    fetch_preview,
    open_corpus,
    problems,
    sources_of,
    stack,
)
from unmix_lite.download import download, fetch_json
from unmix_lite.errors import AudioError, CorpusError, DownloadError
from unmix_lite.names import TARGETS


@contextlib.contextmanager
def one_line(error_type, *words):
    """The block raises exactly this type, with one line that holds each of the words."""
    with pytest.raises(error_type) as caught:
        yield
    message = str(caught.value)
    assert type(caught.value) is error_type
    assert message and "\n" not in message
    for word in words:
        assert str(word) in message, f"'{word}' is not in: {message}"


# --- A server that stands for Zenodo ---------------------------------------------------------


@pytest.fixture
def zenodo(monkeypatch):
    """A running server; change its answers through the dict."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as state:
        noise = np.random.default_rng(0).bytes(300_000)
        state["publish"](zip_of({"train/A - B.stem.mp4": noise, "test/C - D.stem.mp4": b"sound"}))
        monkeypatch.setenv("UNMIX_LITE_ZENODO", state["base"])
        yield state


@pytest.fixture
def no_network(monkeypatch):
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("UNMIX_LITE_ZENODO", f"http://127.0.0.1:{taken.getsockname()[1]}")
        yield


def test_preview_is_downloaded_once(zenodo, tmp_path):
    root, how = fetch_preview(tmp_path, progress=False)
    assert (root / "test" / "C - D.stem.mp4").read_bytes() == b"sound"
    assert len((root / "train" / "A - B.stem.mp4").read_bytes()) == 300_000
    assert zenodo["base"] in how
    assert sorted(path.name for path in tmp_path.iterdir()) == [root.name]  # nothing left over
    again, how = fetch_preview(tmp_path, progress=False)
    assert (again, how) == (root, "downloaded before")
    assert len(zenodo["ranges"]) == 1


def test_archive_with_one_folder_around(zenodo, tmp_path):
    zenodo["publish"](zip_of({"MUSDB18-7/train/a": b"1", "MUSDB18-7/test/b": b"2"}))
    root, _ = fetch_preview(tmp_path, progress=False)
    assert (root / "train" / "a").read_bytes() == b"1"


@pytest.mark.parametrize("ignores_range", [False, True])
def test_a_cut_download_resumes(zenodo, tmp_path, ignores_range):
    zenodo.update(cut=100_000, ignores_range=ignores_range)
    with one_line(CorpusError, zenodo["url"], "broke off at 100000 of", "resume"):
        fetch_preview(tmp_path, progress=False)
    partial = tmp_path / f"{ARCHIVE}.partial"
    assert partial.read_bytes() == zenodo["archive"][:100_000]
    zenodo["cut"] = None
    root, _ = fetch_preview(tmp_path, progress=False)
    assert zenodo["ranges"] == [None, "bytes=100000-"]
    assert len((root / "train" / "A - B.stem.mp4").read_bytes()) == 300_000
    assert not partial.exists()


def test_an_interrupt_keeps_what_came(zenodo, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("unmix_lite.download.tqdm.update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch_preview(tmp_path, progress=False)
    kept = (tmp_path / f"{ARCHIVE}.partial").stat().st_size
    assert 0 < kept < len(zenodo["archive"])
    monkeypatch.undo()
    fetch_preview(tmp_path, f"{zenodo['base']}/api/records/{ZENODO_RECORD}", progress=False)
    assert zenodo["ranges"][-1] == f"bytes={kept}-"


def test_a_stalled_download_ends(zenodo, tmp_path):
    zenodo["stalls"] = threading.Event()
    path = tmp_path / "file"
    digest = hashlib.sha256(zenodo["archive"]).hexdigest()
    with one_line(DownloadError, zenodo["url"], "timed out", "resume"):
        download(zenodo["url"], path, None, f"sha256:{digest[:8]}", timeout=0.3, progress=False)
    assert not path.exists()
    zenodo["stalls"].set()
    zenodo["stalls"] = None
    download(zenodo["url"], path, None, f"sha256:{digest[:8]}", progress=False)
    assert path.read_bytes() == zenodo["archive"]
    assert zenodo["ranges"] == [None, "bytes=1000-"]


def test_a_complete_partial_is_not_fetched_again(zenodo, tmp_path):
    path, archive = tmp_path / "file", zenodo["archive"]
    (tmp_path / "file.partial").write_bytes(archive)
    download(
        zenodo["url"], path, len(archive), f"md5:{hashlib.md5(archive).hexdigest()}",
        progress=False,
    )  # fmt: skip
    assert path.read_bytes() == archive and not zenodo["ranges"]


def test_a_partial_beyond_the_end_starts_again(zenodo, tmp_path):
    path, archive = tmp_path / "file", zenodo["archive"]
    (tmp_path / "file.partial").write_bytes(archive + b"more")
    checksum = f"md5:{hashlib.md5(archive).hexdigest()}"
    download(zenodo["url"], path, None, checksum, progress=False)
    assert path.read_bytes() == archive


def test_without_a_checksum_nothing_is_resumed(zenodo, tmp_path):
    (tmp_path / "file.partial").write_bytes(b"of another file")
    assert (
        download(zenodo["url"], tmp_path / "file", progress=False).read_bytes()
        == (zenodo["archive"])
    )
    assert zenodo["ranges"] == [None]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"checksum": "md5:" + "0" * 32}, ["md5", "0" * 32]),
        ({"checksum": "sha256:"}, ["sha256"]),
        ({"size": 300_000}, ["300000"]),
    ],
)
def test_wrong_bytes_are_deleted(zenodo, tmp_path, changes, words):
    zenodo["publish"](zenodo["archive"], **changes)
    with one_line(CorpusError, zenodo["url"], *words):
        fetch_preview(tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_download_replaces_only_a_verified_file(zenodo, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with one_line(DownloadError, zenodo["url"]):
        download(zenodo["url"], path, checksum="md5:" + "0" * 32, progress=False)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["../outside", "/outside", "train/../../outside", "..\\outside"])
def test_an_archive_that_escapes_is_refused(zenodo, tmp_path, name):
    zenodo["publish"](zip_of({"train/a": b"1", "test/b": b"2", name: b"3"}))
    cache = tmp_path / "cache"
    with one_line(CorpusError, ARCHIVE, name):
        fetch_preview(cache, progress=False)
    assert list(cache.iterdir()) == [] and list(tmp_path.iterdir()) == [cache]


@pytest.mark.parametrize("archive", [b"no zip at all", zip_of({"notes.txt": b"nothing"})])
def test_an_archive_that_is_no_corpus(zenodo, tmp_path, archive):
    zenodo["publish"](archive)
    with one_line(CorpusError, ARCHIVE):
        fetch_preview(tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("record", [b"{}", b"[1]", b'{"files": [{"key": "other.zip"}]}'])
def test_a_record_without_the_archive(zenodo, tmp_path, record):
    zenodo["record"] = record
    with one_line(CorpusError, zenodo["base"], ARCHIVE):
        fetch_preview(tmp_path, progress=False)


def test_answers_that_are_no_record(zenodo):
    zenodo["record"] = b"<html>Please log in</html>"
    with one_line(DownloadError, zenodo["base"], "JSON"):
        fetch_json(f"{zenodo['base']}/api/records/{ZENODO_RECORD}")
    with one_line(DownloadError, zenodo["base"], "404"):
        fetch_json(f"{zenodo['base']}/elsewhere")


def test_a_name_that_is_not_resolved(monkeypatch):
    monkeypatch.setattr("urllib.request.getproxies", dict)
    with one_line(DownloadError, "no-such-host.invalid"):
        fetch_json("https://no-such-host.invalid/record")


def test_a_look_up_that_hangs_is_given_up(monkeypatch):
    released = threading.Event()

    def hang(*_, **__):
        released.wait(60)
        raise TimeoutError

    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr("unmix_lite.download.socket.create_connection", hang)
    monkeypatch.setattr("unmix_lite.download._DEADLINE", 0.1)
    with one_line(DownloadError, "zenodo.org", "timed out"):
        fetch_json("https://zenodo.org/api")
    released.set()


# --- Which corpus ----------------------------------------------------------------------------


@pytest.fixture
def no_choice(monkeypatch, tmp_path):
    """No environment variable decides; the cache is empty. Gives the cache's folder."""
    for name in ("UNMIX_LITE_CORPUS", "MUSDB_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNMIX_LITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def quick_band(monkeypatch, band):
    """Puts a small rendered band where the whole one would be rendered."""
    monkeypatch.setattr("unmix_lite.corpora.band.render_band", lambda root: band)
    return band


def test_auto_takes_the_preview_where_there_is_a_network(no_choice, zenodo):
    corpus = open_corpus()
    assert corpus.name == "MUSDB18 preview" and corpus.root == no_choice / "musdb18-7"
    assert zenodo["base"] in corpus.reason and corpus.reason in str(corpus)
    assert not corpus.is_wav
    assert open_corpus("preview").reason == "downloaded before"


def test_auto_falls_to_the_band_and_says_why(no_choice, no_network, quick_band):
    corpus = open_corpus()
    assert (corpus.name, corpus.root) == ("band", quick_band)
    assert "preview" in corpus.reason and "refused" in corpus.reason
    assert "\n" not in corpus.reason


def test_auto_does_not_hide_a_broken_download(no_choice, zenodo, quick_band):
    zenodo["cut"] = 1000
    corpus = open_corpus()
    assert corpus.name == "band" and "broke off" in corpus.reason


def test_a_corpus_asked_for_by_name_is_not_replaced(no_choice, no_network):
    with one_line(CorpusError, "127.0.0.1", "refused"):
        open_corpus("preview")
    with one_line(CorpusError, "MUSDB_PATH"):
        open_corpus("musdb")


def test_environment_variables_decide(no_choice, no_network, band, monkeypatch, tmp_path):
    monkeypatch.setenv("MUSDB_PATH", str(band))
    assert open_corpus().root == band.resolve() and "MUSDB_PATH" in open_corpus().reason
    assert open_corpus("musdb").root == band.resolve()
    other = tmp_path / "other"
    shutil.copytree(band, other)
    monkeypatch.setenv("UNMIX_LITE_CORPUS", str(other))
    assert open_corpus().root == other.resolve()
    assert "UNMIX_LITE_CORPUS" in open_corpus().reason
    assert open_corpus(band).root == band.resolve()  # what the caller names comes first
    monkeypatch.setenv("UNMIX_LITE_CORPUS", "auto")
    assert open_corpus().root == band.resolve()


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("UNMIX_LITE_CACHE", str(tmp_path))
    assert corpora.cache_folder() == tmp_path
    monkeypatch.delenv("UNMIX_LITE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert corpora.cache_folder() == tmp_path / "unmix-lite"
    monkeypatch.setenv("UNMIX_LITE_CACHE", "")  # as if it were not set
    assert corpora.cache_folder() == tmp_path / "unmix-lite"


def test_folders_that_are_no_corpus(no_choice, tmp_path, monkeypatch):
    with one_line(CorpusError, tmp_path / "nowhere"):
        open_corpus(tmp_path / "nowhere")
    with one_line(CorpusError, tmp_path, "train/"):
        open_corpus(tmp_path)
    monkeypatch.setenv("MUSDB_PATH", str(tmp_path / "gone"))
    with one_line(CorpusError, tmp_path / "gone"):
        open_corpus()


# --- Songs and stems -------------------------------------------------------------------------


def write_song(folder, rate=8000, suffix=".wav", **lengths):
    """A song's folder with a sound file of that many samples for each name."""
    for i, (name, samples) in enumerate(lengths.items()):
        noise = 0.1 * torch.randn(2, samples, generator=torch.Generator().manual_seed(i))
        save_audio(folder / f"{name}{suffix}", noise, rate)
    return Track(folder.name, folder, "train")


def test_a_folder_of_stems(tmp_path):
    track = write_song(tmp_path / "A - B", guitar=800, bass=800, vocals=800)
    stems = track.stems()
    assert list(stems) == ["vocals", "bass", "guitar"] and track.rate == 8000
    assert all(stem.shape == (2, 800) and stem.dtype == torch.float32 for stem in stems.values())
    torch.testing.assert_close(track.mixture(), sum(stems.values()))
    assert list(track.stems(("bass",))) == ["bass"]


def test_upper_case_suffixes_and_half_written_files(tmp_path):
    track = write_song(tmp_path / "A - B", bass=800)
    os.rename(track.path / "bass.wav", track.path / "bass.WAV")
    (track.path / ".bass.123.partial.wav").write_bytes(b"half")
    assert list(track.stems()) == ["bass"] and track.rate == 8000


def test_missing_stems(tmp_path):
    track = write_song(tmp_path / "A - B", mixture=800, vocals=800)
    with one_line(CorpusError, track.path, "'bass' is missing", "vocals"):
        track.stems(TARGETS[:1] + ("bass",))
    with one_line(CorpusError, "'drums' is missing"):
        stack(track.stems())
    (track.path / "vocals.wav").unlink()
    with one_line(CorpusError, track.path, "no stems"):
        track.stems()
    assert track.rate == 8000 and track.mixture().shape == (2, 800)


def test_stems_of_unequal_lengths_and_rates(tmp_path):
    track = write_song(tmp_path / "A - B", vocals=800, bass=799)
    with one_line(CorpusError, track.path, "2 x 800", "2 x 799"):
        track.stems()
    write_song(tmp_path / "A - B", rate=16000, bass=800)
    with one_line(CorpusError, track.path, "8000 Hz", "16000 Hz"):
        track.stems()


def test_problems_of_a_song_are_told_from_its_headers(tmp_path, monkeypatch):
    monkeypatch.setattr(Track, "_read", lambda *_: pytest.fail("decoded"))
    good = write_song(tmp_path / "good", vocals=800, bass=800, guitar=799)
    assert good.problem(("vocals", "bass")) is None
    assert good.problem(("vocals", "piano")) == "has no piano (there: vocals, bass, guitar)"
    assert "guitar 0.10 s" in good.problem(("vocals", "guitar"))
    stems = Track("song", tmp_path / "song.stem.mp4", "train")
    assert stems.problem(TARGETS) is None and "has no 'piano'" in stems.problem(("piano",))


def test_problems_of_many_songs_are_one_text_with_a_line_each(tmp_path):
    good = write_song(tmp_path / "good", vocals=800, bass=800)
    short = write_song(tmp_path / "short", vocals=800, bass=700)
    few = write_song(tmp_path / "few", vocals=800)
    wanted = ("vocals", "bass")
    assert problems([good, good], wanted) == ""
    assert problems([good, few], wanted).startswith(f"{few.path}: has no bass")
    first, *lines = problems([short, good, few], wanted).splitlines()
    assert first.startswith("2 of 3 songs")
    assert [line.split(":")[0].strip() for line in lines] == [str(short.path), str(few.path)]


def test_splits(tmp_path):
    for i in range(10):
        write_song(tmp_path / "train" / f"song {i}", vocals=80)
    (tmp_path / "train" / "notes.txt").write_text("no song")
    corpus = Corpus("mine", tmp_path, "a test")
    assert [t.name for t in corpus.tracks("valid")] == ["song 4", "song 9"]
    assert len(corpus.tracks("train")) == 8 and corpus.is_wav
    assert {t.split for t in corpus.tracks("train")} == {"train"}
    with one_line(CorpusError, "'dev'", "train, valid, test"):
        corpus.tracks("dev")
    with one_line(CorpusError, tmp_path / "test"):
        corpus.tracks("test")


def test_the_band_as_a_corpus(band):
    corpus = open_corpus(band)
    assert corpus.name == "band" and corpus.is_wav
    track = corpus.tracks("test")[0]
    stems = track.stems()
    assert list(stems) == list(TARGETS)
    assert stack(stems).shape == (4, *track.mixture().shape)
    torch.testing.assert_close(track.mixture(), sum(stems.values()), rtol=0, atol=1e-6)
    known = {(t.name, t.rate) for t in corpus.musdb()}
    ours = {(t.name, t.rate) for s in ("train", "test") for t in corpus.tracks(s)}
    assert ours <= known and len(known) == 6


# --- The real songs --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def few_songs(musdb7, tmp_path_factory):
    """A corpus of six songs of the preview: musdb takes half a minute to open them all."""
    root, whole = tmp_path_factory.mktemp("few"), open_corpus(musdb7)
    for split in ("train", "valid", "test"):
        for track in whole.tracks(split)[:2]:
            folder = root / ("test" if split == "test" else "train")
            folder.mkdir(exist_ok=True)
            (folder / track.path.name).symlink_to(track.path)
    return open_corpus(root)


def test_splits_of_the_preview(musdb7):
    corpus = open_corpus(musdb7)
    splits = {name: {t.name for t in corpus.tracks(name)} for name in ("train", "valid", "test")}
    folder = {p.name.removesuffix(".stem.mp4") for p in (musdb7 / "train").glob("*.mp4")}
    assert splits["train"] | splits["valid"] == folder
    assert not splits["train"] & splits["valid"]
    assert splits["valid"] == MUSDB_VALIDATION & folder and splits["valid"]
    assert len(splits["test"]) == len(list((musdb7 / "test").glob("*.mp4")))


def test_splits_are_those_of_musdb(few_songs):
    assert MUSDB_VALIDATION == set(few_songs.musdb(subsets="test").setup["validation_tracks"])
    for split in ("train", "valid", "test"):
        subset = {"subsets": "test"} if split == "test" else {"subsets": "train", "split": split}
        theirs = {track.name for track in few_songs.musdb(**subset)}
        assert theirs == {track.name for track in few_songs.tracks(split)} and len(theirs) == 2


@pytest.mark.parametrize("split", ["valid", "test"])
def test_stems_equal_those_of_musdb(few_songs, split):
    track = few_songs.tracks(split)[1]
    database = few_songs.musdb(subsets="test" if split == "test" else "train")
    theirs = next(t for t in database if t.name == track.name)
    stems = track.stems()
    assert list(stems) == list(TARGETS) and track.rate == theirs.rate
    # musdb's decoder, stempeg, rounds to 16 bits, which is up to 1.6e-5 off.
    decoded = torch.from_numpy(theirs.stems).float().transpose(1, 2)
    for name, stem in stems.items():
        expected = decoded[theirs.sources[name].stem_id]
        assert float(expected.abs().max()) > 1e-3
        torch.testing.assert_close(stem, expected, rtol=0, atol=2e-5)
    mixture = track.mixture()
    torch.testing.assert_close(mixture, decoded[0], rtol=0, atol=2e-5)
    # The mixture is encoded apart from the stems, so their sum is near it and not equal to it.
    error = (mixture - sum(stems.values())).square().mean()
    assert error > 0 and 10 * torch.log10(mixture.square().mean() / error) > 20
    with one_line(CorpusError, track.path, "'guitar'"):
        track.stems(("guitar",))


def test_a_missing_ffmpeg_is_named(few_songs, monkeypatch):
    track = few_songs.tracks("test")[0]
    monkeypatch.setenv("PATH", "")
    with one_line(AudioError, track.path, "needs ffmpeg"):
        track.stems()


def test_sound_files_of_every_kind_make_a_song(tmp_path):
    for suffix in (".flac", ".ogg", ".mp3"):
        track = write_song(tmp_path / f"A - {suffix}", 16000, suffix, vocals=16000, drums=16000)
        stems = track.stems()
        assert {tuple(stem.shape) for stem in stems.values()} == {(2, 16000)}
        assert soundfile.info(track.path / f"drums{suffix}").samplerate == track.rate


def test_a_public_page_plays_only_songs_whose_licence_allows_it(tmp_path):
    """Of MUSDB18 those listed, what shows most first; of other corpora all."""
    names = {
        "train": ["Leaf - Wicked", "AvaLuna - Waterduct", "Music Delta - Beatles",
                  "Leaf - Summerghost", "Meaxic - Take A Step"],
        "test": ["Al James - Schoolboy Facination"],
    }  # fmt: skip
    for split, songs in names.items():
        for name in songs:
            (tmp_path / split / name).mkdir(parents=True)
    corpus = open_corpus(tmp_path)
    assert corpus.is_musdb
    found = {split: [t.name for t in corpus.examples(split)] for split in ("train", "valid")}
    assert found["train"] == ["Music Delta - Beatles", "AvaLuna - Waterduct"]
    assert found["valid"] == ["Meaxic - Take A Step"]
    credit = corpus.examples("train")[1].credit
    assert credit == "AvaLuna - Waterduct (MedleyDB, in MUSDB18, CC BY-NC-SA)"
    with pytest.raises(CorpusError, match="may be played on a public page"):
        corpus.examples("test")


def test_songs_of_ones_own_may_all_be_played(band):
    corpus = open_corpus(band)
    assert not corpus.is_musdb
    assert corpus.examples("train") == corpus.tracks("train")
    assert corpus.examples("train")[0].credit == corpus.examples("train")[0].name


def test_of_several_processes_one_downloads_and_the_others_wait(zenodo, tmp_path):
    script = (
        "import sys; from unmix_lite.corpora import fetch_preview\n"
        "print(fetch_preview(sys.argv[1], progress=False)[1])"
    )
    zenodo["slow"] = 1.0
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    told = [process.communicate()[0].strip().splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0] * 3
    assert len(zenodo["ranges"]) == 1
    first = [lines for lines in told if "downloaded from" in lines[-1]]
    assert len(first) == 1 and all(lines for lines in told)
    assert (tmp_path / "musdb18-7" / "train" / "A - B.stem.mp4").is_file()


def test_a_certificate_that_cannot_be_checked_is_said_and_what_to_do(
    tmp_path, no_choice, quick_band, monkeypatch
):
    """A server whose certificate nobody vouches for, as behind a school's proxy."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl, to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNMIX_LITE_ZENODO", f"https://127.0.0.1:{server.server_port}")
    try:
        with pytest.raises(CorpusError, match="certificate cannot be checked .*SSL_CERT_FILE"):
            open_corpus("preview")
        with pytest.warns(UserWarning, match="certificate .* The band plays instead"):
            assert open_corpus().name == "band"
    finally:
        server.shutdown()
        server.server_close()


def encoded(folder, names, seconds=1.0):
    """Stems of tones under these file names, encoded by ffmpeg where libsndfile cannot."""
    folder.mkdir(parents=True)
    time_axis = torch.arange(round(seconds * 44100)) / 44100
    for number, name in enumerate(names):
        tone = 0.2 * torch.sin(2 * torch.pi * 200 * (number + 1) * time_axis).expand(2, -1)
        path = folder / name
        if path.suffix.lower() in (".wav", ".flac", ".ogg", ".mp3"):
            save_audio(folder / f"{path.stem}{path.suffix.lower()}", tone, 44100)
            (folder / f"{path.stem}{path.suffix.lower()}").rename(path)
            continue
        save_audio(folder / "source.wav", tone, 44100)
        command = ["ffmpeg", "-v", "error", "-i", folder / "source.wav"]
        kind = [] if path.suffix else ["-f", "flac"]
        subprocess.run([*command, *kind, path], check=True)
        (folder / "source.wav").unlink()
    return folder


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_whatever_separate_reads_is_a_stem_however_its_name_is_written(tmp_path):
    names = ["Vocals.WAV", "DRUMS.m4a", "bass", "other.wv", "cover.jpg", "notes.txt"]
    folder = encoded(tmp_path / "train" / "Song", names[:4])
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    (folder / "notes.txt").write_text("recorded in May")
    track = Track("Song", folder, "train")
    assert track.names == list(TARGETS) and track.rate == 44100
    assert track.problem(TARGETS) is None
    stems = track.stems()
    assert list(stems) == list(TARGETS) and stems["vocals"].shape[0] == 2
    torch.testing.assert_close(track.mixture(), sum(stems.values()))


def test_two_files_for_one_stem_are_said(tmp_path):
    folder = encoded(tmp_path / "Song", ["vocals.wav", "drums.wav"])
    save_audio(folder / "vocals.flac", torch.zeros(2, 44100), 44100)
    with one_line(AudioError, folder, "vocals.flac and vocals.wav"):
        Track("Song", folder, "train").stems()


def test_a_song_without_stems_says_what_is_there(tmp_path):
    for number in range(2):
        folder = tmp_path / "train" / f"Song {number}"
        folder.mkdir(parents=True)
        (folder / "project.als").write_text("a project")
    tracks = Corpus("mine", tmp_path, "").tracks("train")
    with one_line(CorpusError, folder.parent / "Song 0", "no sound file, only project.als"):
        sources_of(tracks, ["vocals"])
