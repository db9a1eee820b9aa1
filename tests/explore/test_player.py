"""The synchronised player in every browser: in the place of the plain ones, and obeying keys."""

import pytest

from unmix_lite.listening import players

STATE = """
  const box = document.querySelector(".player"), chips = [...box.querySelectorAll("[role=radio]")];
  const press = (key, where = box) =>
    where.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  const chosen = () => chips.findIndex((chip) => chip.getAttribute("aria-checked") === "true");
  const soon = (ms = 50) => new Promise((resolve) => setTimeout(resolve, ms));
"""


@pytest.fixture(scope="module")
def page(stems, tmp_path_factory):
    sounds = {name: stem[:, :44100] for name, stem in stems.items()}
    path = tmp_path_factory.mktemp("player") / "page.html"
    shown = players(sounds, 44100)._repr_html_()
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>a player</title>'
        f"<body>{shown}{players({'one': stems['bass'][:, :44100]}, 44100)._repr_html_()}"
    )
    return path.as_uri()


def test_it_stands_in_the_place_of_the_plain_players(browser, page):
    browser.open(page)
    found = browser.compute("""
      const all = (selector) => [...document.querySelectorAll(selector)];
      const labels = all(".player [role=radio]").map((chip) => chip.firstChild.textContent);
      return [all("audio").length, all(".player").length, labels];
    """)
    assert found == [0, 2, ["vocals", "drums", "bass", "other"]]


def test_sounds_are_switched_by_click_and_key(browser, page):
    browser.open(page)
    found = browser.compute(STATE + """
      const seen = [chosen()];
      chips[2].click(); seen.push(chosen());
      press("2"); seen.push(chosen());
      press("ArrowRight", chips[1]); seen.push(chosen());
      press("9"); seen.push(chosen());
      return [seen, document.activeElement === chips[2]];
    """)  # fmt: skip
    assert found == [[0, 2, 1, 2, 2], True]


def test_it_plays_pauses_seeks_and_loops(browser, page):
    """What is chosen stays chosen over a seek; a dragged region is looped."""
    browser.open(page)
    found = browser.compute(STATE + """
      press("3");
      const play = box.querySelector(".play"), bar = box.querySelector("[role=slider]");
      play.click();
      while (play.getAttribute("aria-label") !== "Pause") await soon();
      await soon(300);
      press("End", bar);
      const late = Number(bar.getAttribute("aria-valuenow"));
      press("Home", bar);
      const early = Number(bar.getAttribute("aria-valuenow"));
      const {left, width, top} = bar.getBoundingClientRect();
      const at = (kind, part) => bar.dispatchEvent(new PointerEvent(kind, {
        clientX: left + part * width, clientY: top + 5, pointerId: 1, bubbles: true}));
      bar.setPointerCapture = () => {};
      at("pointerdown", 0.25); at("pointermove", 0.5); at("pointerup", 0.5);
      await soon();
      const region = bar.querySelector(".region");
      const marked = [region.hidden, parseFloat(region.style.left), parseFloat(region.style.width)];
      play.click();
      while (play.getAttribute("aria-label") !== "Play") await soon();
      return [late, early, marked, chosen()];
    """)  # fmt: skip
    late, early, marked, chosen = found
    assert late == pytest.approx(1, abs=0.11) and early < 0.2 and chosen == 2
    assert marked[0] is False and marked[1:] == pytest.approx([25, 25], abs=1)
