"""Networks of other kinds through the same training, the same files and the same commands."""

import json

import pytest
import soundfile
import torch
from tiny_training import fit, kept, recipe, same, untimed

from unmix_lite.cli import main
from unmix_lite.errors import AudioError, CheckpointError, UnmixError
from unmix_lite.models import VocalCNN, WaveUNet
from unmix_lite.separation import Separator
from unmix_lite.training import Excerpts
from unmix_lite.weights import NetworkCard, load_networks, save_network, targets_of

pytestmark = pytest.mark.usefixtures("cache")
ALL = recipe().sources
ROADS = {
    "WaveUNet": {"network": "WaveUNet", "arguments": {"filters": 2, "levels": 3}},
    "Wavenet": {"network": "Wavenet", "seconds": 0.5,
                "arguments": {"channels": 4, "stacks": 1, "final": [6, 5]}},
    "DeepConvSep": {"network": "DeepConvSep", "seconds": 0.7,
                    "arguments": {"filters": 4, "bottleneck": 8, "n_fft": 256, "hop_length": 128}},
    "VocalCNN": {"network": "VocalCNN", "targets": ("vocals",),
                 "arguments": {"filters": 2, "hidden": 4, "n_fft": 256, "hop_length": 64}},
}  # fmt: skip
NAME = "vocals-drums-bass-other"


def learn(tones, folder, road, **changes):
    return fit(tones, folder, **{"targets": ALL, **ROADS[road], **changes})


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def folder(tmp_path):
    """A Wave-U-Net of random weights."""
    torch.manual_seed(0)
    network = WaveUNet(filters=2, levels=3)
    save_network(tmp_path, network, NetworkCard(NAME, "WaveUNet", network.arguments, rate=22050))
    return tmp_path


@pytest.mark.parametrize("road", ROADS)
class TestTraining:
    def test_goes_on_where_it_stopped(self, tones, tmp_path, road):
        name = "vocals" if road == "VocalCNN" else NAME
        whole = learn(tones, tmp_path / "whole", road, steps=6)
        assert [row["step"] for row in whole] == [2, 4, 6]

        class Enough(Exception):
            pass

        def stop(history):
            if len(history) == 2:
                raise Enough

        with pytest.raises(Enough):
            learn(tones, tmp_path / "cut", road, steps=6, on_validation=stop)
        assert learn(tones, tmp_path / "cut", road, steps=6) == whole
        assert same(kept(tmp_path / "cut", name), kept(tmp_path / "whole", name))

    def test_the_kept_one_is_the_best(self, tones, tmp_path, road):
        name = "vocals" if road == "VocalCNN" else NAME
        history = learn(tones, tmp_path, road, learning_rate=3e-2)
        best = min(history, key=lambda row: row["valid_loss"])
        assert kept(tmp_path, name)[1]["training"]["step"] == best["step"]
        record = json.loads((tmp_path / f"{name}.json").read_text())
        assert untimed(record["history"]) == history and record["best_step"] == best["step"]

    def test_starts_from_given_weights(self, tones, tmp_path, road):
        learn(tones, tmp_path, road, steps=2)
        learn(tones, tmp_path / "more", road, steps=2, initial=str(tmp_path))
        with pytest.raises(CheckpointError, match="make them the same"):
            arguments = {**ROADS[road]["arguments"]}
            arguments[next(iter(arguments))] = 3
            learn(tones, tmp_path / "x", road, initial=str(tmp_path), arguments=arguments)
        with pytest.raises(CheckpointError, match=f"is a {road}"):
            fit(tones, tmp_path / "y", initial=str(tmp_path), targets=targets_of(tmp_path)[:1])

    def test_separates(self, tones, tmp_path, road):
        learn(tones, tmp_path, road, steps=2)
        separator = Separator.from_pretrained(tmp_path)
        assert separator.targets == list(ROADS[road].get("targets", ALL))
        for channels in (1, 2):
            stems = separator(noise(channels, 9_001), 8000)
            assert {stem.shape for stem in stems.values()} == {(channels, 9_001)}
            assert all(stem.dtype == torch.float32 for stem in stems.values())


@pytest.mark.parametrize(
    "change, message",
    [
        ({"network": "UNet"}, "no 'UNet'"),
        ({"network": "Wavenet", "loss": "ratio"}, "loss: no 'ratio'; there are l1, mse, sdr"),
        ({"network": "WaveUNet", "targets": ("vocals",)}, "needs all of them as targets"),
        ({"network": "VocalCNN", "targets": ALL}, "one stem"),
        ({"network": "WaveUNet", "targets": ALL, "arguments": {"wings": 2}}, "wings"),
        ({"arguments": {"filters": 2}}, "OpenUnmix: has no argument 'filters'; it has hidden_size"),
    ],
)
def test_a_recipe_that_cannot_be_is_one_line(tones, tmp_path, monkeypatch, change, message):
    monkeypatch.setattr(Excerpts, "__init__", lambda *_, **__: pytest.fail("decoded before"))
    with pytest.raises(UnmixError, match=message) as error:
        fit(tones, tmp_path, **change)
    assert "\n" not in str(error.value)


def test_each_network_has_its_rate_and_its_papers_loss():
    assert (recipe(rate=None).rate, recipe().loss) == (44100, "mse")
    wavenet = recipe(network="Wavenet", rate=None, targets=ALL)
    assert (wavenet.rate, wavenet.loss) == (16000, "l1")


class TestSeparator:
    def test_any_rate_and_length(self, folder):
        separator = Separator.from_pretrained(folder)
        for rate, samples in ((44100, 1), (48000, 30_000), (8000, 4_000), (22050, 100)):
            stems = separator(noise(2, samples), rate)
            assert list(stems) == list(ALL)
            assert {stem.shape for stem in stems.values()} == {(2, samples)}

    def test_stems_sum_to_the_song(self, folder):
        song = noise(2, 30_000)
        separator = Separator.from_pretrained(folder, complete=True)
        torch.testing.assert_close(sum(separator(song, 44100).values()), song, atol=1e-6, rtol=0)

    def test_blocks_are_the_whole(self, folder, monkeypatch):
        separator, song = Separator.from_pretrained(folder), noise(2, 50_000)
        whole = separator(song)
        monkeypatch.setattr(
            separator.network, "separate_segments",
            lambda song: WaveUNet.separate_segments(separator.network, song, 0.3),
        )  # fmt: skip
        blocks = list(separator.blocks(song))
        assert len(blocks) > 3
        for target in ALL:
            joined = torch.cat([block[target] for block in blocks], -1)
            torch.testing.assert_close(joined, whole[target], atol=1e-6, rtol=0)

    def test_some_stems_and_the_rest(self, folder):
        song = noise(2, 20_000)
        every = Separator.from_pretrained(folder)(song)
        some = Separator.from_pretrained(folder, targets=["bass"], residual=True)
        stems = some(song)
        assert list(stems) == ["bass", "residual"]
        torch.testing.assert_close(stems["bass"], every["bass"])
        torch.testing.assert_close(stems["bass"] + stems["residual"], song, atol=1e-6, rtol=0)
        assert some.adds_up and not Separator.from_pretrained(folder, targets=["bass"]).adds_up

    @pytest.mark.parametrize(
        "options, message",
        [
            ({"iterations": 1}, "Wiener"),
            ({"posterior": True}, "Wiener"),
            ({"neighbours": 40}, "Wiener"),
            ({"targets": ["piano"]}, "no target 'piano'"),
        ],
    )
    def test_what_cannot_be_is_one_line(self, folder, options, message):
        with pytest.raises(UnmixError, match=message):
            Separator.from_pretrained(folder, **options)

    @pytest.mark.parametrize(
        "song, message",
        [
            (torch.zeros(6, 9000), "6 channels"),
            (torch.zeros(2, 0), "no samples"),
            (torch.full((2, 9000), torch.nan), "NaN|finite"),
        ],
    )
    def test_bad_songs(self, folder, song, message):
        with pytest.raises(AudioError, match=message):
            Separator.from_pretrained(folder)(song)

    def test_it_is_not_for_live_use(self, folder):
        with pytest.raises(UnmixError, match="whole song"):
            Separator.from_pretrained(folder).stream()

    def test_folders_are_not_mixed(self, folder):
        network = VocalCNN(targets=("choir",), filters=2, hidden=4)
        card = NetworkCard("choir", "VocalCNN", network.arguments, rate=22050)
        save_network(folder, network, card)
        assert targets_of(folder) == [*ALL, "choir"]
        assert list(load_networks(folder, ["choir"])) == ["choir"]
        with pytest.raises(CheckpointError, match="differ in kind"):
            load_networks(folder)


def test_the_commands(tones, tmp_path, capsys):
    """Train, separate, score; export says that it does not know such networks."""
    root, model = tones.root, str(tmp_path / "model")
    command = ["train", "--corpus", str(root), "--network", "WaveUNet", "--set", "filters=2",
               "levels=3", "--steps", "2", "--valid-every", "2", "--batch-size", "2",
               "--seconds", "0.4", "-o", model]  # fmt: skip
    assert main(command) == 0
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(30_000, 2).numpy(), 44100)
    assert main(["separate", str(song), "--model", model, "-o", str(tmp_path / "stems")]) == 0
    stems = [soundfile.read(tmp_path / "stems" / "song" / f"{t}.wav")[0] for t in ALL]
    assert abs(sum(stems) - soundfile.read(song)[0]).max() < 2e-3  # four roundings to 16 bits
    assert main(["export", "--model", model, "-o", str(tmp_path / "exported")]) == 1
    assert "OpenUnmix" in capsys.readouterr().err
    assert not (tmp_path / "exported").exists()
