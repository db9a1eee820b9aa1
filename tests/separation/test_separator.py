"""The separator: lengths, rates, channels, and the reference's numbers with the same weights."""

import pytest
import torch
from untrained import folder_of_networks, four, noise, small

import unmix_lite
from unmix_lite.errors import AudioError, CheckpointError, UnmixError
from unmix_lite.names import TARGETS
from unmix_lite.separation import Ensemble, Separator, WienerFilter


def level(audio):
    return 20 * torch.log10(audio.square().mean().sqrt())


def agree_with_the_reference(networks, iterations=1, window=25, softmask=False, residual=False):
    """Same weights, same song: openunmix 1.3.0's separator and ours, to a relative 1e-4."""
    from openunmix.model import OpenUnmix as ReferenceNetwork
    from openunmix.model import Separator as ReferenceSeparator

    theirs = {}
    for target, network in networks.items():
        settings = network.arguments
        theirs[target] = ReferenceNetwork(
            2049,
            settings["nb_channels"],
            settings["hidden_size"],
            unidirectional=settings["unidirectional"],
            max_bin=1487,
        )
        theirs[target].load_state_dict(network.state_dict(), strict=True)
    channels = settings["nb_channels"]
    reference = ReferenceSeparator(
        theirs, niter=iterations, nb_channels=channels, wiener_win_len=window,
        softmask=softmask, residual=residual,
    )  # fmt: skip
    reference.freeze()
    settings = WienerFilter(iterations, softmask=softmask, window=window)
    separator = Separator(networks, settings, residual, complete=False)
    audio = noise(channels, 40_000)
    expected = reference.to_dict(reference(audio[None]))
    stems = separator(audio)
    assert list(stems) == list(expected)
    for target, stem in stems.items():
        error = (stem - expected[target][0]).norm() / expected[target].norm()
        assert error < 1e-4, f"{target}: {error:.1e}"


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("iterations", [0, 1, 3])
@pytest.mark.parametrize("options", [{}, {"softmask": True}, {"residual": True}])
def test_equals_the_reference(channels, iterations, options):
    agree_with_the_reference(four(channels), iterations, **options)


@pytest.mark.parametrize("window", [3, 7, 39, 40, 41, 1000])
def test_equals_the_reference_whatever_the_wiener_filter_measures(window):
    agree_with_the_reference(four(), window=window)


@pytest.mark.parametrize("hidden_size", [64, 256, 1024])
@pytest.mark.parametrize("unidirectional", [False, True])
def test_equals_the_reference_at_every_size(hidden_size, unidirectional):
    networks = {
        target: small(i, hidden_size=hidden_size, unidirectional=unidirectional)
        for i, target in enumerate(("vocals", "drums"))
    }
    agree_with_the_reference(networks)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [1, 500, 13_230, 44_101])
def test_length_and_channels_are_the_inputs(rate, channels, samples):
    stems = Separator(four())(noise(channels, samples), rate)
    assert {tuple(stem.shape) for stem in stems.values()} == {(channels, samples)}
    assert all(torch.isfinite(stem).all() for stem in stems.values())


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("neighbours", [0, 10])
def test_stems_sum_to_the_mixture(channels, neighbours):
    audio = noise(channels, 100_000)
    stems = Separator(four(), WienerFilter(neighbours=neighbours))(audio)
    assert level(sum(stems.values()) - audio) - level(audio) < -60


@pytest.mark.parametrize("neighbours", [0, 10])
def test_silence_stays_silent(neighbours):
    stems = Separator(four(), WienerFilter(neighbours=neighbours))(torch.zeros(2, 50_000))
    assert all(torch.equal(stem, torch.zeros(2, 50_000)) for stem in stems.values())


def test_a_stereo_song_through_mono_networks():
    audio = noise(2, 30_000)
    stems = Separator(four(1))(audio)
    assert stems["vocals"].shape == audio.shape


def test_one_network_is_set_against_the_rest():
    audio = noise(2, 60_000)
    alone = Separator({"vocals": small()})(audio)
    assert list(alone) == ["vocals"]
    both = Separator({"vocals": small()}, residual=True)(audio)
    assert list(both) == ["vocals", "residual"]
    assert torch.equal(alone["vocals"], both["vocals"])
    assert level(both["vocals"] + both["residual"] - audio) - level(audio) < -60


def test_one_stem_alone_is_not_completed_to_the_whole_song():
    audio = noise(2, 60_000)
    alone, plain = (
        Separator({"other": small()}, complete=complete)(audio)["other"]
        for complete in (True, False)
    )
    assert torch.equal(alone, plain)
    assert level(alone - audio) - level(audio) > -40


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
def test_complete_stems_add_up_even_where_no_network_claims_a_bin(rate):
    """Networks that are deaf above 4 kHz leave bins to nobody, and a rate leaves its top."""
    networks = four()
    for network in networks.values():
        with torch.no_grad():
            network.output_mean[400:] = -100
    audio = noise(2, 60_000)
    partial, complete = (
        Separator(networks, complete=complete)(audio, rate) for complete in (False, True)
    )
    assert level(sum(partial.values()) - audio) - level(audio) > -10
    assert level(sum(complete.values()) - audio) - level(audio) < -100
    assert torch.equal(partial["drums"], complete["drums"])


@pytest.mark.parametrize(
    "option",
    [
        {"iterations": 0}, {"iterations": 2}, {"softmask": True}, {"window": 10},
        {"neighbours": 5},
    ],
)  # fmt: skip
def test_every_option_changes_the_output(option):
    audio = noise(2, 60_000)
    plain, changed = Separator(four())(audio), Separator(four(), WienerFilter(**option))(audio)
    assert not torch.allclose(plain["drums"], changed["drums"], atol=1e-6)


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (torch.zeros(2, 0), "no samples"),
        (torch.zeros(6, 1000), "6 channels"),
        (torch.full((2, 1000), float("nan")), "NaN"),
        (torch.zeros(1000), "(channels, samples)"),
    ],
)
def test_bad_audio_is_one_line(audio, words):
    with pytest.raises(AudioError) as error:
        Separator(four())(audio)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_from_a_folder(tmp_path):
    folder_of_networks(tmp_path)
    separator = Separator.from_pretrained(tmp_path, device="cpu", iterations=0)
    audio = noise(2, 30_000)
    expected = Separator(four(), WienerFilter(0))(audio)
    stems = separator(audio)
    assert list(stems) == list(TARGETS)
    assert all(torch.equal(stems[t], expected[t]) for t in TARGETS)
    assert Separator.from_pretrained(tmp_path, targets=["bass"]).targets == ["bass"]


def test_the_filter_that_comes_with_trained_networks(tmp_path):
    folder_of_networks(tmp_path)
    audio = noise(2, 60_000)

    def drums(**options):
        return Separator.from_pretrained(tmp_path, device="cpu", **options)(audio)["drums"]

    ours = Separator(four(), WienerFilter(3, posterior=True, neighbours=40))
    assert torch.equal(drums(), ours(audio)["drums"])
    alone = Separator(four(), WienerFilter(3, posterior=True))
    assert torch.equal(drums(neighbours=0), alone(audio)["drums"])
    assert torch.equal(drums(posterior=False), Separator(four())(audio)["drums"])
    three = drums(iterations=3, posterior=False)
    assert torch.equal(three, Separator(four(), WienerFilter(3))(audio)["drums"])
    assert not torch.allclose(three, drums(), atol=1e-6)


def test_a_missing_target_says_what_there_is(tmp_path):
    folder_of_networks(tmp_path)
    with pytest.raises(
        CheckpointError, match="no target 'piano'; it has vocals, drums, bass, other"
    ):
        Separator.from_pretrained(tmp_path, targets=["piano"])


def test_an_unknown_model_says_what_there_is():
    with pytest.raises(CheckpointError, match="umx-lite"):
        Separator.from_pretrained("umx-heavy")


def test_an_empty_folder(tmp_path):
    with pytest.raises(CheckpointError, match="holds no weights"):
        Separator.from_pretrained(tmp_path)


def test_umx_lite_finds_the_voice_of_a_real_song(songs):
    """Not a score, a direction: the voice of a sung song is neither silence nor the song."""
    audio, rate = unmix_lite.load_audio(songs / "Karissa_Hobbs_-_Lets_Go_Fishin.hq.ogg")
    audio = audio[:, 30 * rate : 40 * rate]
    stems = Separator.from_pretrained("umx-lite", device="cpu")(audio, rate)
    assert -20 < level(stems["vocals"]) - level(audio) < 0
    assert level(sum(stems.values()) - audio) - level(audio) < -40


def test_complete_is_left_to_where_the_stems_add_up():
    """The command and Python give the same stems: nobody has to ask for it."""
    audio = noise(2, 60_000)
    networks = four()
    stems, completed = Separator(networks)(audio, 22050), Separator(networks, complete=True)
    expected = completed(audio, 22050)
    assert all(torch.equal(stems[target], expected[target]) for target in TARGETS)
    apart = Separator(networks, WienerFilter(0))(audio, 22050)
    plain = Separator(networks, WienerFilter(0), complete=False)(audio, 22050)
    assert all(torch.equal(apart[target], plain[target]) for target in TARGETS)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"iterations": -1}, "iterations must be 0 or more"),
        ({"neighbours": -1}, "neighbours must be 0 or more"),
        ({"window": 0}, "window must be 1 or more"),
        ({"iterations": 0, "neighbours": 5}, "neighbours need the filter"),
    ],
)
def test_a_filter_that_cannot_be_is_one_line(settings, words):
    with pytest.raises(UnmixError, match=words) as error:
        WienerFilter(**settings)
    assert "\n" not in str(error.value)


def test_no_rounds_means_no_neighbours(tmp_path):
    """Of a model that comes with both."""
    folder_of_networks(tmp_path)
    found = Separator.from_pretrained(tmp_path, "cpu", iterations=0).filter
    assert found == WienerFilter(0, posterior=True)
    assert Separator.from_pretrained(tmp_path, "cpu").filter == WienerFilter(3, True, 40)


def test_a_misspelt_setting_is_one_line_and_none_is_the_models_own(tmp_path):
    folder_of_networks(tmp_path)
    with pytest.raises(UnmixError, match="no setting 'windw'; it has iterations") as error:
        Separator.from_pretrained(tmp_path, "cpu", windw=0)
    assert "\n" not in str(error.value)
    own = Separator.from_pretrained(tmp_path, "cpu").filter
    assert Separator.from_pretrained(tmp_path, "cpu", iterations=None).filter == own


def test_an_ensemble_answers_with_the_mean():
    one, other = small(), small()
    magnitude = noise(2, 2049 * 5).abs().reshape(1, 2, 2049, 5)
    with torch.inference_mode():
        both = Ensemble([one, other]).eval()(magnitude)
        expected = (one(magnitude) + other(magnitude)) / 2
    assert torch.allclose(both, expected)
    with pytest.raises(ValueError, match="at least one"):
        Ensemble([])
