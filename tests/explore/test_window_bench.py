"""The window bench: JavaScript's numbers are Python's, in every browser."""

import pytest
from controls import as_set

from unmix_lite import explore

STATES = [
    {},
    {"sound": "bass", "length": 16384, "top": 2000.0},
    {"sound": "vocals", "length": 512},
    {"phase": "zero"},
    {"sound": "vocals", "phase": "zero", "length": 1024},
]


@pytest.fixture(scope="module")
def bench(stems):
    return explore.window_bench(stems, 44100)


@pytest.fixture
def reset(bench):
    with as_set(bench):
        yield


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_page_has_pythons_numbers(bench, reset, on_page, state):
    for name, value in state.items():
        setattr(bench, name, value)
    expected = [bench.bin_width, bench.duration, bench.needed]
    if bench.phase == "zero":
        expected.append(bench.sdr)
    assert on_page(bench, state) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_what_is_claimed_of_it(bench, reset):
    """Hertz times seconds is one; the bass wants a longer window than the drums; and back."""
    needed = {}
    for sound in ("drums", "bass"):
        bench.sound = sound
        for length in (512, 4096, 16384):
            bench.length = length
            assert bench.bin_width * bench.duration == pytest.approx(1000)
            assert bench.sdr > 100
            needed[sound, length] = bench.needed
    assert needed["drums", 16384] > needed["drums", 4096]
    assert needed["bass", 512] > 2 * needed["bass", 16384]
    bench.phase = "zero"
    assert bench.sdr < 1
