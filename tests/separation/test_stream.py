"""Live: however a song is cut into blocks, the same stems, and none later than the latency."""

import itertools

import numpy as np
import pytest
import torch
from untrained import noise, small

from unmix_lite.corpora import open_corpus
from unmix_lite.errors import AudioError, UnmixError
from unmix_lite.separation import Separator, WienerFilter


def live(channels=2, softmask=False, **options):
    networks = {t: small(i, channels, unidirectional=True) for i, t in enumerate(("a", "b"))}
    return Separator(networks, WienerFilter(0, softmask=softmask), **options)


def streamed(separator, audio, sizes):
    """The stems of a song given in blocks of these sizes, over and over, and the greatest delay."""
    stream, start, delay = separator.stream(), 0, 0
    pieces, came = [], 0
    for size in itertools.cycle(sizes):
        pieces.append(stream(audio[:, start : start + size]))
        start = min(start + size, audio.shape[1])
        came += next(iter(pieces[-1].values())).shape[1]
        delay = max(delay, start - came)
        if start == audio.shape[1]:
            break
    pieces.append(stream.finish())
    stems = {t: torch.cat([piece[t] for piece in pieces], 1) for t in separator.targets}
    return stems, delay, stream.latency


@pytest.mark.parametrize(
    "sizes", [(1024,), (64, 1, 0, 5000), (100_000,), (7, 2048, 31), (4096,)], ids=str
)
@pytest.mark.parametrize("samples", [1, 2048, 2049, 5000, 33_333])
@pytest.mark.parametrize("channels", [1, 2])
def test_blocks_of_any_size_give_the_stems_of_the_song(sizes, samples, channels):
    separator, audio = live(channels), noise(channels, samples)
    expected = separator(audio)
    stems, delay, latency = streamed(separator, audio, sizes)
    for target, stem in expected.items():
        assert stems[target].shape == stem.shape
        assert (stems[target] - stem).norm() < 1e-5 * stem.norm()
    assert delay <= latency == 4096


@pytest.mark.parametrize("options", [{"softmask": True}, {"residual": True}, {"hop_length": 2048}])
def test_options_hold_live_as_well(options):
    separator, audio = live(**options), noise(2, 40_000)
    stems, _, _ = streamed(separator, audio, (1500,))
    for target, stem in separator(audio).items():
        assert (stems[target] - stem).norm() < 1e-5 * stem.norm()


def test_the_future_does_not_sound_in_the_past():
    separator, audio = live(), noise(2, 40_000)
    other = audio.clone()
    other[:, 20_000:] = noise(2, 20_000, seed=9)
    one, two = (separator(song)["a"][:, : 20_000 - 4096] for song in (audio, other))
    assert torch.equal(one, two) or (one - two).abs().max() < 1e-6
    stream = separator.stream()
    first = stream(audio[:, :20_000])["a"]
    assert first.shape[1] >= 20_000 - stream.latency


def test_a_window_is_used_as_soon_as_it_is_full():
    """In blocks of a hop no more waits than the three quarters of a window that are unfinished."""
    stream, came = live().stream(), 0
    for count in range(1, 12):
        came += stream(noise(2, 1024, count))["a"].shape[1]
        if count > 4:
            assert 1024 * count - came == 3 * 1024


def test_memory_of_a_stream_does_not_grow():
    stream, held = live().stream(), []
    for seed in range(12):
        stream(noise(2, 5000, seed))
        held.append(stream._tail.shape[1])
    assert max(held) <= 4096 + 2 * 1024 and np.ptp(held[3:]) <= 1024


def test_mono_through_stereo_networks_comes_as_stereo():
    audio = noise(1, 20_000)
    stems, _, _ = streamed(live(), audio, (3000,))
    expected = live()(audio.expand(2, -1))
    assert (stems["a"] - expected["a"]).norm() < 1e-5 * expected["a"].norm()


def test_what_cannot_be_live_says_why():
    with pytest.raises(UnmixError, match="unidirectional"):
        Separator({"a": small()}, WienerFilter(0)).stream()
    network = {"a": small(unidirectional=True)}
    for options in ((WienerFilter(1),), (WienerFilter(0), False, True)):
        with pytest.raises(UnmixError, match="iterations=0"):
            Separator(network, *options).stream()


@pytest.mark.parametrize(
    ("block", "words"),
    [(torch.full((2, 10), float("nan")), "NaN"), (torch.zeros(6, 10), "6 channels"),
     (torch.zeros(10), "(channels, samples)")],
)  # fmt: skip
def test_a_bad_block_is_one_line_and_the_stream_goes_on(block, words):
    separator, audio = live(), noise(2, 9000)
    stream = separator.stream()
    first = stream(audio[:, :5000])["a"]
    with pytest.raises(AudioError) as error:
        stream(block)
    assert words in str(error.value) and "\n" not in str(error.value)
    rest = [stream(audio[:, 5000:])["a"], stream.finish()["a"]]
    assert torch.allclose(torch.cat([first, *rest], 1), separator(audio)["a"], atol=1e-5)


def test_a_stream_of_nothing_says_so():
    with pytest.raises(AudioError, match="empty"):
        live().stream().finish()


def test_umx_lite_live_hears_the_voice_and_the_drums_of_a_song(band_song):
    """The shipped networks: streamed they are what they are offline, and better than nothing."""
    separator = Separator.from_pretrained("umx-lite-live", "cpu", iterations=0)
    assert separator.targets == ["vocals", "drums"]
    assert separator.networks["drums"].arguments["hidden_size"] == 256
    audio, stems = band_song
    found, _, _ = streamed(separator, audio, (1024,))
    for target, expected in separator(audio).items():
        assert (found[target] - expected).norm() < 1e-5 * expected.norm()
        error = (found[target] - stems[target]).square().sum()
        assert error < 0.8 * stems[target].square().sum()  # silence would leave all of it


@pytest.fixture
def band_song(band):
    """The first seconds of a song of the band: the mixture and its stems."""
    track = open_corpus(band).tracks("test")[0]
    stems = {target: stem[:, : 4 * 44100] for target, stem in track.stems().items()}
    return sum(stems.values()), stems


def test_live_networks_come_without_the_filter_that_needs_the_future():
    assert Separator.from_pretrained("umx-lite-live", "cpu").filter.iterations == 0
    asked = Separator.from_pretrained("umx-lite-live", "cpu", iterations=1)
    assert asked.filter.iterations == 1
