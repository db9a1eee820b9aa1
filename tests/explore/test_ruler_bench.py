"""The rulers: JavaScript's numbers are Python's, in every browser."""

import pytest
from controls import as_set

from unmix_lite import explore

CLEAN = {"muffled": 0.0, "drums": -40.0, "noise": -40.0}
STATES = [
    {},
    {**CLEAN, "noise": -6.0, "gain": -8.5},
    {**CLEAN, "drums": -6.0, "muffled": 100.0, "delay": 40.0},
]


@pytest.fixture(scope="module")
def bench(stems):
    return explore.ruler_bench(stems, 44100)


def read(bench, state):
    with as_set(bench, state):
        return bench.scores


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_page_has_pythons_numbers(bench, on_page, state):
    expected = list(read(bench, state).values())
    for found, known in zip(on_page(bench, state), expected, strict=True):
        assert found == pytest.approx(known, abs=1e-5 * max(1, abs(known)))


@pytest.mark.parametrize(
    "fault, ruler", [("muffled", "ISR"), ("drums", "SIR"), ("noise", "SAR")], ids=str
)
def test_each_fault_has_its_ruler(bench, fault, ruler):
    """Alone it pulls that one down most, and the others say little or nothing."""
    scores = read(bench, {**CLEAN, fault: bench.state[fault]})
    kinds = {name: scores[name] for name in ("ISR", "SIR", "SAR")}
    assert min(kinds, key=kinds.get) == ruler and sorted(kinds.values())[1] > scores[ruler] + 10


def test_what_gain_and_delay_do_to_a_perfect_voice(bench):
    assert set(read(bench, CLEAN).values()) == {99.0}
    soft = read(bench, {**CLEAN, "gain": -6.0})
    assert soft["SDR"] < 7 and soft["SI-SDR"] == soft["SIR"] == soft["SDR of sources"] == 99
    late = read(bench, {**CLEAN, "delay": 31.0})
    assert max(late["SDR"], late["SI-SDR"], late["ISR"]) < 5
    assert late["SIR"] == late["SAR"] == late["SDR of sources"] == 99
    too_late = read(bench, {**CLEAN, "delay": 40.0})  # longer than 512 taps at 16 kHz
    assert too_late["SDR of sources"] < 20
