"""What the random changes to the stems do to the sound, and what they leave alone."""

import math

import numpy as np
import pytest
import torch
from tiny_training import recipe

from unmix_lite.names import AUGMENTATIONS
from unmix_lite.training import (
    SPEEDS,
    Training,
    Workers,
    augment,
    change_speed,
    change_tempo,
    draw_changes,
    equalise,
    keep_intact,
    needed_samples,
    pitch_shift,
    random_curves,
    random_gains,
    random_intact,
    random_levels,
    random_paces,
    random_swaps,
    scale,
    set_loudness,
    set_paces,
    swap_channels,
)

SAMPLES = 8000
CHANGES = [name for name in AUGMENTATIONS if name not in ("remix", "shuffle", "intact")]


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def rng(seed=0):
    return np.random.default_rng(seed)


def changed_to(change, speed, stems, changed=True):
    """One second at 8 kHz, with `change` at `SPEEDS[speed]`."""
    paces = np.where(np.broadcast_to(changed, stems.shape[:2]), SPEEDS[speed], 1.0)
    return set_paces(stems, paces, change, SAMPLES)


def varied(stems, names, seed=0, inplace=False):
    """One second at 8 kHz, changed by what is drawn from a seed."""
    drawn = draw_changes(rng(seed), names, *stems.shape[:2])
    return augment(stems, drawn, SAMPLES, inplace)


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
    paces = np.array([[SPEEDS[speed]]])
    power = set_paces(stems, paces, change, samples)[0, 0].square().sum(0)
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
    result = augment(noise(3, 2, 2, needed), draw_changes(rng(), names, 3, 2), samples)
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
    filtered = equalise(impulse, random_curves(rng(seed), (4, 4), probability=1.0))
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
    curves = random_curves(rng(), (2, 4))
    both = equalise(one + 2 * other, curves)
    parts = equalise(one, curves) + 2 * equalise(other, curves)
    torch.testing.assert_close(both, parts, atol=1e-5, rtol=1e-4)


def test_a_filter_changes_half_of_the_sources_and_leaves_the_others_untouched():
    stems = noise(40, 4, 2, 100)
    equal = (equalise(stems, random_curves(rng(), (40, 4))) == stems).flatten(2).all(-1)
    assert 0.35 < equal.float().mean() < 0.65


def test_loudness_brings_every_sounding_source_between_30_and_18_db_below_full_scale():
    stems = noise(50, 4, 2, 1000) * torch.logspace(-1.5, 1, 50)[:, None, None, None]
    changed = set_loudness(stems, random_levels(rng(), (50, 4)))
    levels = changed.square().mean((2, 3)).sqrt().log10() * 20
    assert -30.01 <= levels.min() < -29 and -19 < levels.max() <= -17.99
    assert len(levels.flatten().unique()) == 200


def test_loudness_keeps_the_stereo_image():
    stems = noise(3, 4, 2, 1000) * torch.tensor([[1.0], [0.3]])
    gains = set_loudness(stems, random_levels(rng(), (3, 4))) / stems
    torch.testing.assert_close(gains, gains[..., :1, :1].expand_as(gains))


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_loudness_leaves_silence_and_hiss_alone(level):
    stems = level * torch.ones(2, 4, 2, 100)
    assert torch.equal(set_loudness(stems, random_levels(rng(), (2, 4))), stems)


def test_gain_scales_each_source_on_its_own_within_its_range():
    gains = scale(torch.ones(50, 4, 2, 3), random_gains(rng(), (50, 4)))
    assert torch.equal(gains, gains[:, :, :1, :1].expand_as(gains))
    assert 0.25 <= gains.min() < 0.35 and 1.15 < gains.max() <= 1.25
    assert len(gains[:, :, 0, 0].unique()) == 200


def test_channel_swap_swaps_half_of_the_sources():
    stems = torch.stack([torch.zeros(50, 4, 3), torch.ones(50, 4, 3)], 2)
    swapped = swap_channels(stems, random_swaps(rng(), (50, 4)))
    assert 0.35 < swapped[:, :, 0, 0].mean() < 0.65
    assert torch.equal(swapped.sum(2), stems.sum(2))
    assert torch.equal(swap_channels(stems, random_swaps(rng(), (50, 4), 0.0)), stems)


def test_a_pace_is_one_of_eight_and_half_of_the_sources_keep_theirs():
    paces = random_paces(rng(), (400, 4))
    assert set(paces.flat) == {1.0, *SPEEDS}
    assert 0.45 < (paces == 1).mean() < 0.55


@pytest.mark.parametrize("name", CHANGES)
def test_each_name_changes_something_but_not_what_it_was_given(name):
    stems = noise(4, 4, 2, needed_samples((name,), SAMPLES))
    before = stems.clone()
    result = varied(stems, (name,))
    assert result.shape == (4, 4, 2, SAMPLES)
    assert not torch.equal(result, stems[..., :SAMPLES]) and torch.equal(stems, before)


@pytest.mark.parametrize("name", CHANGES)
def test_in_the_memory_of_the_old_comes_the_same(name):
    stems = noise(4, 4, 2, needed_samples((name,), SAMPLES))
    expected = varied(stems, (name,))
    torch.testing.assert_close(varied(stems, (name,), inplace=True), expected)


def test_no_names_change_nothing():
    stems = noise(2, 4, 2, SAMPLES)
    assert torch.equal(varied(stems, ()), stems)


def test_the_order_of_the_names_does_not_matter():
    stems = noise(4, 4, 2, needed_samples(CHANGES, SAMPLES))
    assert torch.equal(varied(stems, CHANGES), varied(stems, CHANGES[::-1]))


@pytest.mark.parametrize("name", CHANGES)
def test_a_part_of_a_batch_is_changed_as_the_whole_would_be(name):
    stems = noise(6, 4, 2, needed_samples((name,), SAMPLES))
    drawn = draw_changes(rng(3), (name,), 6, 4)
    whole = augment(stems, drawn, SAMPLES)
    for rows in (slice(0, 2), slice(2, 4), slice(4, 6)):
        part = augment(stems[rows], {name: drawn[name][rows]}, SAMPLES)
        # Transforms of several rows at once may round otherwise than of one.
        torch.testing.assert_close(part, whole[rows], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_what_is_intact_is_changed_alike_in_all_its_sources(probability):
    size, samples = 40, 800
    same = noise(size, 1, 2, needed_samples(CHANGES, samples)).expand(-1, 4, -1, -1)
    intact = random_intact(rng(), size, probability)
    drawn = draw_changes(rng(), CHANGES, size, 4)
    result = augment(same, keep_intact(drawn, intact), samples)
    # To rounding: several rows at once may be transformed otherwise than one.
    alike = [bool((row - row[:1]).abs().max() < 1e-3) for row in result]
    assert alike == intact.tolist()
    assert abs(intact.sum() - probability * size) <= 8


def test_what_is_not_intact_keeps_its_numbers_and_the_first_source_always_does():
    drawn, intact = draw_changes(rng(), CHANGES, 40, 4), random_intact(rng(), 40)
    for name, values in keep_intact(drawn, intact).items():
        assert values.dtype == drawn[name].dtype
        assert np.array_equal(values[~intact], drawn[name][~intact])
        assert np.array_equal(values[:, 0], drawn[name][:, 0])


@pytest.mark.parametrize(
    ("training", "kept"),
    [(("intact", "gain"), {4}), (("remix", "intact", "gain"), {0, 1, 2, 3, 4}),
     (("remix", "gain"), {0})],
    indirect=["training"],
)  # fmt: skip
def test_without_remix_all_stay_intact_and_with_it_some(training, kept):
    """To be seen from the gains; and the stems of those are of one song and place."""
    counts = set()
    for step in range(60):
        stems, changes = training.batches.read(step)
        alike = np.ptp(changes["gain"], axis=1) == 0
        counts.add(int(alike.sum()))
        # The tones of one song lie 100 Hz apart, and those of another song 20 Hz above.
        pitch = 8000 / stems.shape[-1] * torch.fft.rfft(stems[:, :, 0]).abs().argmax(-1)
        songs = ((pitch - 200 - 100 * torch.arange(4)) / 20).round()
        assert (songs[alike] == songs[alike][:, :1]).all()
    assert counts == kept


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
        return training.batches.read(5)

    whole, part = batch(0, 1), batch(1, 2)
    assert torch.equal(part[0], whole[0][2:])
    mine, all_of_it = training.batches.augmented(*part), training.batches.augmented(*whole)
    torch.testing.assert_close(mine, all_of_it[2:], atol=1e-5, rtol=1e-4)


def test_whatever_is_changed_the_mixture_is_the_sum_of_the_targets(training):
    targets, mixture = training.task.spectra(training.batches.augmented(*training.batches.read(0)))
    assert targets.shape == (4, 4, 2, 257, 26) and mixture.shape == (4, 1, 2, 257, 26)
    assert mixture.abs().max() > 1
    torch.testing.assert_close(targets.sum(1, keepdim=True), mixture, atol=1e-4, rtol=1e-4)
