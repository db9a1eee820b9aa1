"""Audio as other libraries hold it: taken, or refused in one line that says what to do."""

import numpy as np
import pytest
import torch

from unmix_lite.errors import AudioError
from unmix_lite.models import OpenUnmix
from unmix_lite.separation import Separator


@pytest.fixture(scope="module")
def separator():
    torch.manual_seed(0)
    return Separator({"vocals": OpenUnmix(8).eval(), "drums": OpenUnmix(8).eval()})


def test_numpy_arrays_are_taken(separator):
    audio = np.random.default_rng(0).standard_normal((2, 5000)).astype(np.float32)
    expected = separator(torch.from_numpy(audio))
    for given in (audio, audio.astype(np.float64)):
        for target, stem in separator(given).items():
            assert torch.allclose(stem, expected[target], atol=1e-6)


def test_integers_are_refused(separator):
    with pytest.raises(AudioError, match="int16.*divide it by 32768"):
        separator((1000 * torch.randn(2, 5000)).to(torch.int16))


def test_samples_before_channels_are_told_apart(separator):
    with pytest.raises(AudioError, match=r"\(5000, 2\).*transpose it"):
        separator(torch.randn(5000, 2))


def test_the_fingerprint_follows_weights_and_settings(separator):
    first = separator.fingerprint()
    assert first == separator.fingerprint() and len(first) == 8
    with torch.no_grad():
        separator.networks["vocals"].fc1.weight[0, 0] += 1
    second = separator.fingerprint()
    separator.filter.iterations = 2
    assert len({first, second, separator.fingerprint()}) == 3
