"""What the random changes to the stems do to the sound, and what they leave alone."""

import math

import numpy as np
import pytest
import torch
from tiny_training import recipe

from unmix_lite.names import AUGMENTATIONS
from unmix_lite.training import (
    SPEEDS,
    Intact,
    Shared,
    Training,
    Workers,
    augment,
    change_speed,
    change_tempo,
    needed_samples,
    pitch_shift,
    random_channel_swap,
    random_filter,
    random_gain,
    random_loudness,
    random_pace,
)

SAMPLES = 8000
CHANGES = [name for name in AUGMENTATIONS if name not in ("remix", "shuffle", "intact")]


class Chosen:
    """A generator that says of every source whether it is changed, and to which speed."""

    def __init__(self, speed, changed=True):
        self.speed, self.changed = speed, changed

    def random(self, shape):
        return np.where(np.broadcast_to(self.changed, shape), 0.0, 1.0)

    def integers(self, high, size):
        return np.full(size, self.speed)


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def rng(seed=0):
    return np.random.default_rng(seed)


def changed_to(change, speed, stems, changed=True):
    """One second at 8 kHz, with `change` at `SPEEDS[speed]`."""
    return random_pace(stems, Chosen(speed, changed), change, SAMPLES)


@pytest.mark.parametrize("speed", range(len(SPEEDS)))
@pytest.mark.parametrize("change", [change_speed, change_tempo, pitch_shift])
def test_the_pitch_changes_or_stays_and_level_and_image_stay(tone, change, speed):
    """A tone of 420 Hz, half as loud on the right, at 8 kHz: 1 Hz per bin."""
    stems = tone(420.0, seconds=1.2, rate=SAMPLES)[None, None] * torch.tensor([[1.0], [0.5]])
    result = changed_to(change, speed, stems)
    assert result.shape == (1, 1, 2, SAMPLES)
    pitch = int(torch.fft.rfft(result[0, 0, 0]).abs().argmax())
    assert pitch == pytest.approx(420 * (1 if change is change_tempo else SPEEDS[speed]), abs=1)
    # The ends are taken as neighbours, or mirrored: a tone that is cut in mid-air rings there.
    level = result[0, 0, 0, 2000:-2000].square().mean().sqrt()
    assert level == pytest.approx(0.5 / math.sqrt(2), rel=0.01)
    torch.testing.assert_close(result[:, :, 1], 0.5 * result[:, :, 0], atol=1e-4, rtol=0)


@pytest.mark.parametrize("speed", range(len(SPEEDS)))
@pytest.mark.parametrize("change", [change_speed, change_tempo, pitch_shift])
def test_the_tempo_changes_or_stays(change, speed):
    """Two bursts of noise, two seconds apart."""
    samples = 4 * SAMPLES
    stems = torch.zeros(1, 1, 2, needed_samples(("speed",), samples))
    for start in (6000, 22000):
        stems[..., start : start + 400] = noise(2, 400)
    power = random_pace(stems, Chosen(speed), change, samples)[0, 0].square().sum(0)
    time = torch.arange(samples)
    pace = 1 if change is pitch_shift else SPEEDS[speed]
    sides = time < 14200 / pace, time > 14200 / pace  # between the two bursts, once changed
    first, second = ((power * time * side).sum() / (power * side).sum() for side in sides)
    assert 16000 / (second - first) == pytest.approx(pace, abs=0.03)


@pytest.mark.parametrize("change", [change_speed, change_tempo, pitch_shift])
def test_the_other_sources_are_left_untouched(change):
    stems = noise(2, 2, 2, 9600)
    changed = np.array([[True, False], [False, True]])
    result = changed_to(change, 0, stems, changed)
    for row, source in np.ndindex(2, 2):
        equal = torch.equal(result[row, source], stems[row, source, :, :SAMPLES])
        assert equal != changed[row, source]


@pytest.mark.parametrize("change", [change_speed, pitch_shift])
def test_a_higher_pitch_does_not_alias(change):
    """What would come to lie above half the rate is gone, not folded back."""
    time = torch.arange(9600, dtype=torch.float64) / SAMPLES
    high = torch.sin(2 * torch.pi * 3800 * time).float().expand(1, 1, 2, -1)
    result = changed_to(change, SPEEDS.index(6 / 5), high)
    # A tone cut in mid-air has a click at its ends, and a click a bit of everything.
    assert result[..., 1000:-1000].abs().max() < 0.01


@pytest.mark.parametrize("samples", [1, 7, 4410, 132300])
@pytest.mark.parametrize("names", [("speed",), ("tempo",), ("speed", "tempo"), ("pitch", "gain")])
def test_what_is_read_is_as_much_as_is_consumed(samples, names):
    needed = needed_samples(names, samples)
    result = augment(noise(3, 2, 2, needed), rng(), names, samples)
    assert result.shape == (3, 2, 2, samples)
    shortening = [name for name in names if name in ("speed", "tempo")]
    longest = samples
    for _ in shortening:
        longest = max(round(longest * speed) for speed in SPEEDS)
    assert longest <= needed <= longest + 2 * len(shortening)


def response(seed):
    """The filter's gain in dB per frequency, for both channels of 16 sources."""
    impulse = torch.zeros(4, 4, 2, SAMPLES)
    impulse[..., 0] = 1
    filtered = random_filter(impulse, rng(seed), probability=1.0)
    return 20 * torch.fft.rfft(filtered).abs().log10()


def test_a_filter_stays_within_6_db_and_uses_them():
    gains = response(0)
    assert gains.abs().max() < 6.001
    assert gains.max() > 5 and gains.min() < -5


def test_a_filter_is_the_same_for_both_channels_and_another_for_each_source():
    gains = response(1)
    torch.testing.assert_close(gains[:, :, 0], gains[:, :, 1], atol=1e-3, rtol=0)
    one, other = gains[0, 0, 0], gains[0, 1, 0]
    assert (one - other).abs().max() > 1


def test_a_filter_is_linear():
    one, other = noise(2, 4, 2, SAMPLES), noise(2, 4, 2, SAMPLES, seed=1)
    both = random_filter(one + 2 * other, rng())
    parts = random_filter(one, rng()) + 2 * random_filter(other, rng())
    torch.testing.assert_close(both, parts, atol=1e-5, rtol=1e-4)


def test_a_filter_changes_half_of_the_sources_and_leaves_the_others_untouched():
    stems = noise(40, 4, 2, 100)
    equal = (random_filter(stems, rng()) == stems).flatten(2).all(-1)
    assert 0.35 < equal.float().mean() < 0.65


def test_loudness_brings_every_sounding_source_between_30_and_18_db_below_full_scale():
    stems = noise(50, 4, 2, 1000) * torch.logspace(-1.5, 1, 50)[:, None, None, None]
    levels = random_loudness(stems, rng()).square().mean((2, 3)).sqrt().log10() * 20
    assert -30.01 <= levels.min() < -29 and -19 < levels.max() <= -17.99
    assert len(levels.flatten().unique()) == 200


def test_loudness_keeps_the_stereo_image():
    stems = noise(3, 4, 2, 1000) * torch.tensor([[1.0], [0.3]])
    gains = random_loudness(stems, rng()) / stems
    torch.testing.assert_close(gains, gains[..., :1, :1].expand_as(gains))


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_loudness_leaves_silence_and_hiss_alone(level):
    stems = level * torch.ones(2, 4, 2, 100)
    assert torch.equal(random_loudness(stems, rng()), stems)


def test_gain_scales_each_source_on_its_own_within_its_range():
    gains = random_gain(torch.ones(50, 4, 2, 3), rng())
    assert torch.equal(gains, gains[:, :, :1, :1].expand_as(gains))
    assert 0.25 <= gains.min() < 0.35 and 1.15 < gains.max() <= 1.25
    assert len(gains[:, :, 0, 0].unique()) == 200


def test_channel_swap_swaps_half_of_the_sources():
    stems = torch.stack([torch.zeros(50, 4, 3), torch.ones(50, 4, 3)], 2)
    swapped = random_channel_swap(stems, rng())
    assert 0.35 < swapped[:, :, 0, 0].mean() < 0.65
    assert torch.equal(swapped.sum(2), stems.sum(2))
    assert torch.equal(random_channel_swap(stems, rng(), 0.0), stems)


@pytest.mark.parametrize("name", CHANGES)
def test_each_name_changes_something_but_not_what_it_was_given(name):
    stems = noise(4, 4, 2, needed_samples((name,), SAMPLES))
    before = stems.clone()
    result = augment(stems, rng(), (name,), SAMPLES)
    assert result.shape == (4, 4, 2, SAMPLES)
    assert not torch.equal(result, stems[..., :SAMPLES]) and torch.equal(stems, before)


@pytest.mark.parametrize("name", CHANGES)
def test_in_the_memory_of_the_old_comes_the_same(name):
    stems = noise(4, 4, 2, needed_samples((name,), SAMPLES))
    expected = augment(stems, rng(), (name,), SAMPLES)
    torch.testing.assert_close(augment(stems, rng(), (name,), SAMPLES, inplace=True), expected)


def test_no_names_change_nothing():
    stems = noise(2, 4, 2, SAMPLES)
    assert torch.equal(augment(stems, rng(), (), SAMPLES), stems)


@pytest.mark.parametrize("name", CHANGES)
def test_a_shared_batch_is_changed_as_the_whole_would_be(name):
    stems = noise(6, 4, 2, needed_samples((name,), SAMPLES))
    whole = augment(stems, rng(3), (name,), SAMPLES)
    for rows in (slice(0, 2), slice(2, 4), slice(4, 6)):
        part = augment(stems[rows], Shared(rng(3), 6, rows), (name,), SAMPLES)
        # Transforms of several rows at once may round otherwise than of one.
        torch.testing.assert_close(part, whole[rows], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_what_is_intact_is_changed_alike_in_all_its_sources(probability):
    size, samples = 40, 800
    same = noise(size, 1, 2, needed_samples(CHANGES, samples)).expand(-1, 4, -1, -1)
    generator = Intact(rng(), size, probability)
    result = augment(same, generator, CHANGES, samples)
    # To rounding: several rows at once may be transformed otherwise than one.
    alike = [bool((row - row[:1]).abs().max() < 1e-3) for row in result]
    assert np.flatnonzero(alike).tolist() == generator.rows.tolist()
    assert abs(len(generator.rows) - probability * size) <= 8


def test_what_is_intact_comes_from_one_song_and_place(training):
    generator = Intact(rng(), 40)
    songs, places = training.excerpts.draw(generator, 40, ("remix",))
    whole = [len(set(song)) == len(set(place)) == 1 for song, place in zip(songs, places)]
    assert np.flatnonzero(whole).tolist() == generator.rows.tolist()
    assert 12 <= len(generator.rows) <= 28


@pytest.mark.parametrize(
    ("training", "kept"),
    [(("intact", "gain"), {4}), (("remix", "intact"), {0, 1, 2, 3, 4})],
    indirect=["training"],
)
def test_without_remix_all_stay_intact_and_with_it_some(training, kept):
    assert {len(training.read(step)[1].rows) for step in range(60)} == kept


@pytest.fixture
def training(tones, cache, request):
    names = getattr(request, "param", AUGMENTATIONS)
    config = recipe(augmentations=names, batch_size=4, targets=recipe().sources)
    return Training(config, tones.tracks("train"), tones.tracks("valid"), Workers("cpu"), False)


@pytest.mark.parametrize(
    "training", [(), ("remix",), ("shuffle",), AUGMENTATIONS], indirect=True, ids=len
)
def test_the_processes_that_share_a_batch_read_and_hear_what_one_would(training):
    def batch(index, count):
        training.workers.index, training.workers.count = index, count
        return training.read(5)

    whole, part = batch(0, 1), batch(1, 2)
    assert torch.equal(part[0], whole[0][2:])
    mine, all_of_it = training.augmented(*part), training.augmented(*whole)
    torch.testing.assert_close(mine, all_of_it[2:], atol=1e-5, rtol=1e-4)


def test_whatever_is_changed_the_mixture_is_the_sum_of_the_targets(training):
    targets, mixture = training.task.spectra(training.augmented(*training.read(0)))
    assert targets.shape == (4, 4, 2, 257, 26) and mixture.shape == (4, 1, 2, 257, 26)
    assert mixture.abs().max() > 1
    torch.testing.assert_close(targets.sum(1, keepdim=True), mixture, atol=1e-4, rtol=1e-4)
