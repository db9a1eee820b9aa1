"""The mixing desk: JavaScript's numbers are Python's, in every browser."""

import pytest
import torch
import traitlets
from controls import as_set

from unmix_lite import explore

STATES = [
    {},
    {"gains": {"vocals": 6.0, "bass": -12.5, "other": -40.0}},
    {"mutes": ["drums"], "difference": True},
    {"solos": ["vocals", "other"], "mutes": ["vocals"]},
    {"pans": {"drums": -1.0, "other": 0.7}, "difference": True},
    {"mutes": ["vocals", "drums", "bass", "other"]},
]


@pytest.fixture(scope="module")
def desk(stems):
    return explore.mixing_desk(stems, 44100)


@pytest.fixture
def reset(desk):
    with as_set(desk):
        yield


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_page_has_pythons_numbers(desk, reset, on_page, state):
    for name, value in state.items():
        setattr(desk, name, value)
    level, lost = desk.level, desk.lost
    found = on_page(desk, state)
    assert found == pytest.approx([level, lost], rel=1e-5, abs=1e-5)


def test_what_is_claimed_of_it(desk, reset):
    """One stem less costs little; the minus sign takes what is in the middle, whoever plays it."""
    whole = desk.level
    for name in ("vocals", "drums", "bass", "other"):
        desk.mutes = [name]
        assert 0 < whole - desk.level < 3
    desk.mutes = []
    lost = {}
    for name in ("vocals", "bass", "other"):
        desk.solos = [name]
        lost[name] = desk.lost
    assert lost["bass"] > lost["vocals"] > lost["other"] + 1
    desk.difference, before = True, desk.level
    assert desk.level == pytest.approx(before - lost["other"], abs=1e-6)


def test_the_mix_is_what_the_faders_say(desk, reset):
    whole = desk.mix()
    desk.gains = dict.fromkeys(("vocals", "drums", "bass", "other"), -6.0)
    assert torch.allclose(desk.mix(), whole * 10 ** (-6 / 20), atol=1e-6)
    desk.gains, desk.solos, desk.pans = {}, ["bass"], {"bass": -1.0}
    left, right = desk.mix()
    assert left.abs().max() > 0 and right.abs().max() < 1e-6
    desk.difference = True
    assert torch.equal(*desk.mix()) and abs(desk.lost) < 1e-3  # one side alone loses nothing


def test_a_stem_that_is_not_there(stems):
    with pytest.raises(traitlets.TraitError, match="'piano'"):
        explore.mixing_desk(stems, 44100, solos=["piano"])


def test_playing_has_the_same_minus_sign(browser, tmp_path):
    """Web Audio's nodes, rendered: left minus right on both sides, and without it what came in."""
    from explorables import script

    code = script("mixing_desk").replace("</", "<\\/")
    # A page for tests looks into the script.
    code = code.replace("module_control.mountAll(", "window.desk = bundled; (() => {})(")
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>nodes</title>'
    (tmp_path / "page.html").write_text(f"{head}<script>{code}</script>")
    browser.open((tmp_path / "page.html").as_uri())
    found = browser.compute("""
      const out = [];
      for (const on of [false, true]) {
        const context = new OfflineAudioContext(2, 64, 22050);
        const buffer = new AudioBuffer({numberOfChannels: 2, length: 64, sampleRate: 22050});
        buffer.copyToChannel(new Float32Array(64).fill(0.5), 0);
        buffer.copyToChannel(new Float32Array(64).fill(0.2), 1);
        const source = new AudioBufferSourceNode(context, {buffer});
        const trick = window.desk.karaoke(context);
        trick.set(on, 0);
        source.connect(trick.input);
        source.start();
        const made = await context.startRendering();
        out.push(made.getChannelData(0)[40], made.getChannelData(1)[40]);
      }
      return out;
    """)
    assert found == pytest.approx([0.5, 0.2, 0.3 / 2**0.5, 0.3 / 2**0.5], abs=1e-5)
