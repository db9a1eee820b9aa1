"""The parts bench: JavaScript's numbers are Python's, in every browser."""

import numpy as np
import pytest
import torch

from unmix_lite import STFT, classic, explore
from unmix_lite.errors import AudioError


@pytest.fixture(scope="module")
def factors(stems):
    magnitude = STFT(2048, 512)(stems["drums"])[..., :200].abs().mean(0).numpy()
    return classic.factorise(magnitude, None, 4, 20)


@pytest.fixture(scope="module")
def bench(stems, factors):
    return explore.parts_bench(stems["drums"], 44100, *factors)


@pytest.mark.parametrize("parts", [[1, 2, 3, 4], [1], [3], [2, 4], []], ids=str)
def test_the_page_has_pythons_numbers(bench, on_page, parts):
    bench.parts = parts
    expected = [bench.percent, bench.hertz]
    bench.parts = [1, 2, 3, 4]
    assert on_page(bench, {"parts": parts}) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_the_parts_sum_to_the_drums(bench):
    whole, parts = bench.estimate(), []
    for k in (1, 2, 3, 4):
        bench.parts = [k]
        parts.append(bench.estimate())
    bench.parts = [1, 2, 3, 4]
    assert torch.allclose(sum(parts), whole, atol=1e-5)
    assert torch.allclose(whole, bench._drums, atol=1e-3)


def test_what_does_not_belong_together_is_refused(stems, factors):
    spectra, gains = factors
    for wrong in ((spectra[:-1], gains), (spectra, gains[:-1])):
        with pytest.raises(AudioError, match="belong together"):
            explore.parts_bench(stems["drums"], 44100, *wrong)
    with pytest.raises(AudioError, match="belong together"):
        explore.parts_bench(stems["drums"][:, :9000], 44100, spectra, np.asarray(gains))
