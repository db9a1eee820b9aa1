"""Published weights: files of the authors' form, from a server that stands for Zenodo."""

import functools
import hashlib
import sys
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
import torchaudio
from untrained import noise, small

from unmix_lite.cli import main
from unmix_lite.errors import CheckpointError, UnmixError
from unmix_lite.models import HybridDemucs, OpenUnmix
from unmix_lite.separation import Separator
from unmix_lite.weights import OFFICIAL, load_official, official


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and notes what is asked for."""

    asked = []

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def zenodo(tmp_path, monkeypatch):
    """A server over an empty folder: `zenodo(name, target, state)` publishes a file there."""
    root = tmp_path / "server"
    root.mkdir()
    monkeypatch.setattr(Quiet, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("UNMIX_LITE_ZENODO", "UNMIX_LITE_PYTORCH"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("UNMIX_LITE_CACHE", str(tmp_path / "cache"))

    def publish(name, target, state):
        published = OFFICIAL[name]
        file = root / "file.pth"
        torch.save(state, file)
        digits = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
        folder = root / "records" / str(published.record) / "files"
        folder.mkdir(parents=True, exist_ok=True)
        file = file.rename(folder / f"{target}{'_' if name == 'umxse' else '-'}{digits}.pth")
        files = {**published.files, target: file.name}
        monkeypatch.setitem(OFFICIAL, name, replace(published, files=files))
        return file

    yield publish
    server.shutdown()
    server.server_close()


def of_the_authors(network):
    """A state as their files hold it, with the transform's own tensors among the weights."""
    extra = {"sample_rate": torch.tensor(44100.0), "stft.window": torch.ones(4096),
             "transform.0.window": torch.ones(4096)}  # fmt: skip
    return {**network.state_dict(), **extra}


@pytest.mark.parametrize("name", ["umx", "umxhq", "umxl"])
def test_published_networks_separate_like_the_reference(zenodo, name, capsys):
    for seed, target in enumerate(OFFICIAL[name].files):
        zenodo(name, target, of_the_authors(small(seed)))
    separator = Separator.from_pretrained(name, device="cpu")
    told = capsys.readouterr().out
    assert told.count(OFFICIAL[name].licence) == 1
    assert ("NC-SA" in told) == (name == "umxl")
    expected = Separator({t: small(i) for i, t in enumerate(("vocals", "drums", "bass", "other"))})
    audio = noise(2, 30_000)
    for target, stem in expected(audio).items():
        assert torch.equal(separator(audio)[target], stem)
    assert len(Quiet.asked) == 4
    again = Separator.from_pretrained(name, device="cpu", targets=["bass"])
    assert again.targets == ["bass"] and len(Quiet.asked) == 4 and not capsys.readouterr().out


def test_speech_and_noise_have_a_rate_and_an_stft_of_their_own(zenodo):
    for seed, target in enumerate(("speech", "noise")):
        torch.manual_seed(seed)
        network = OpenUnmix(16, nb_channels=1, nb_bins=513, max_bin=513)
        zenodo("umxse", target, of_the_authors(network))
    separator = Separator.from_pretrained("umxse", device="cpu")
    assert separator.targets == ["speech", "noise"] and separator.rate == 16000
    assert (separator.stft.n_fft, separator.stft.hop_length) == (1024, 512)
    audio = noise(2, 30_000)
    stems = separator(audio, 44100)
    assert stems["speech"].shape == audio.shape and torch.isfinite(stems["speech"]).all()


@pytest.mark.parametrize("shape", [{"unidirectional": True}, {"nb_layers": 2}, {"max_bin": 700}])
def test_a_network_is_built_as_its_weights_are_shaped(zenodo, shape):
    network = small(3, **shape)
    state = of_the_authors(network)
    del state["bn1.num_batches_tracked"]  # as in files of old versions of PyTorch
    zenodo("umxhq", "drums", state)
    loaded, card = load_official("umxhq", "drums", progress=False)
    assert {**network.arguments, "dropout": 0.4} == card.arguments
    mixture = noise(2, 2049 * 5).abs().reshape(1, 2, 2049, 5)
    with torch.inference_mode():
        assert torch.equal(loaded(mixture), network(mixture))


def test_a_damaged_download_is_deleted_and_a_damaged_file_fetched_anew(zenodo):
    file = zenodo("umx", "vocals", of_the_authors(small()))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"?")
    with pytest.raises(CheckpointError, match="umx: .*sha256"):
        load_official("umx", "vocals", progress=False)
    cached = official.cache_folder() / "weights" / "umx" / file.name
    assert not cached.exists()
    file.write_bytes(whole)
    load_official("umx", "vocals", progress=False)
    cached.write_bytes(whole[: len(whole) // 2])
    load_official("umx", "vocals", progress=False)
    assert cached.read_bytes() == whole


@pytest.mark.parametrize("state", [{"a": torch.ones(3)}, [1, 2], {"fc1.weight": torch.ones(3)}])
def test_a_file_of_something_else_is_one_line(zenodo, state):
    zenodo("umx", "vocals", state)
    with pytest.raises(CheckpointError, match="is no Open-Unmix") as error:
        load_official("umx", "vocals", progress=False)
    assert "\n" not in str(error.value)


def test_code_in_a_pickle_is_not_run(zenodo, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "evil"), "w"))

    zenodo("umx", "vocals", {"fc1.weight": Evil()})
    with pytest.raises(CheckpointError, match="is no Open-Unmix"):
        load_official("umx", "vocals", progress=False)
    assert not (tmp_path / "evil").exists()


def test_without_a_network_it_is_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("UNMIX_LITE_ZENODO", "http://127.0.0.1:9")
    monkeypatch.setenv("UNMIX_LITE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "song.wav").write_bytes(b"")
    arguments = ["separate", tmp_path / "song.wav", "-o", tmp_path, "--model", "umxhq"]
    assert main([str(argument) for argument in arguments]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "umxhq: its weights could not be downloaded" in told


def test_every_published_name_promises_its_checksum():
    for published in OFFICIAL.values():
        assert all(len(file.rsplit(".")[0][-8:]) == 8 for file in published.files.values())
        assert all(int(file.split(".")[0][-8:], 16) for file in published.files.values())


class TestDemucs:
    """Hybrid Demucs with thin layers in place of its 330 MB."""

    @pytest.fixture
    def published(self, zenodo, tmp_path, monkeypatch):
        monkeypatch.setattr(official, "HybridDemucs", functools.partial(HybridDemucs, channels=4))
        torch.manual_seed(0)
        network = HybridDemucs(channels=4)
        folder = tmp_path / "server" / "torchaudio" / "models"
        folder.mkdir(parents=True)
        torch.save(network.inner.state_dict(), folder / "hdemucs_high_musdbhq_only.pt")
        return network.eval()

    def test_it_is_the_one_whose_weights_torchaudio_names(self):
        with torch.device("meta"):
            theirs = torchaudio.pipelines.HDEMUCS_HIGH_MUSDB._model_factory_func()
            ours = HybridDemucs().inner
        shapes = [{k: v.shape for k, v in net.state_dict().items()} for net in (theirs, ours)]
        assert shapes[0] == shapes[1]
        assert theirs.sources == ours.sources
        assert official.load_demucs.__doc__ and "hdemucs_high_musdbhq_only.pt" in (
            torchaudio.pipelines.HDEMUCS_HIGH_MUSDB._model_path
        )

    def test_downloads_once_and_separates(self, published):
        separator = Separator.from_pretrained("hdemucs")
        Separator.from_pretrained("hdemucs", targets=["bass"])
        assert Quiet.asked == ["/torchaudio/models/hdemucs_high_musdbhq_only.pt"]
        song = noise(2, 50_000)
        stems = separator(song)
        assert list(stems) == ["vocals", "drums", "bass", "other"]
        assert {stem.shape for stem in stems.values()} == {(2, 50_000)}
        with torch.inference_mode():
            padded = torch.nn.functional.pad(song, (44100, 44100))
            expected = published(padded[None])[0]
        torch.testing.assert_close(stems["drums"], expected[0], atol=1e-5, rtol=1e-3)

    def test_what_can_go_wrong_is_one_line(self, published, tmp_path, monkeypatch):
        file = tmp_path / "server" / "torchaudio" / "models" / "hdemucs_high_musdbhq_only.pt"
        torch.save({"conv.weight": torch.zeros(2)}, file)
        with pytest.raises(CheckpointError, match="is no Hybrid Demucs") as error:
            Separator.from_pretrained("hdemucs")
        assert "\n" not in str(error.value) and "delete it" in str(error.value)
        (tmp_path / "cache" / "weights" / "hdemucs" / file.name).unlink()
        monkeypatch.setenv("UNMIX_LITE_PYTORCH", "http://127.0.0.1:9")
        with pytest.raises(CheckpointError, match="hdemucs: its weights could not be downloaded"):
            Separator.from_pretrained("hdemucs")

    def test_without_torchaudio_it_says_so_before_it_downloads(self, published, monkeypatch):
        monkeypatch.setitem(sys.modules, "torchaudio.models", None)
        with pytest.raises(UnmixError, match=r"pip install torchaudio==[\d.]+\.$"):
            Separator.from_pretrained("hdemucs")
        assert Quiet.asked == []
