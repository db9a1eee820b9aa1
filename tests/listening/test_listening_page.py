"""Listening tests in a page, in a browser; their script in Node; and as widgets."""

import base64
import csv
import functools
import io
import json
import re
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import soundfile
import torch

import unmix_lite
from unmix_lite.errors import AudioError, UnmixError
from unmix_lite.listening import (
    AbxTest,
    MushraTest,
    abx_p_value,
    abx_page,
    mushra_page,
    read_ratings,
)

RATE = 44100
SCRIPT = Path(unmix_lite.__file__).with_name("listening") / "listening.mjs"
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def sound(seed, seconds=0.5):
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(2, int(seconds * RATE), generator=generator)


def carried_by(page):
    """The test that a page carries."""
    text = re.search(r'<script type="application/json">(.*?)</script>', str(page), re.S)[1]
    return json.loads(text)


class TestPage:
    def test_sounds_are_inside_compressed_and_equally_long(self):
        test = carried_by(mushra_page({"reference": sound(0), "ours": sound(1)}, RATE, item="x"))
        lengths = set()
        for text in test["sounds"].values():
            audio, rate = soundfile.read(io.BytesIO(base64.b64decode(text)))
            lengths.add(len(audio))
            assert rate == RATE and len(text) < RATE
        assert len(lengths) == 1

    def test_a_shared_sound_is_stored_once(self):
        clean = sound(0)
        page = abx_page({"one": (clean, sound(1)), "two": (clean, sound(2))}, RATE)
        assert len(carried_by(page)["sounds"]) == 3

    def test_a_label_cannot_end_the_script(self):
        label = "</script><b>x"
        page = mushra_page({"reference": sound(0), label: sound(1)}, RATE, title=label)
        assert carried_by(page)["conditions"] == ["reference", label]
        assert "</script><b>" not in str(page)

    def test_the_same_test_gives_the_same_page(self):
        pages = {str(abx_page({"one": (sound(0), sound(1))}, RATE)) for _ in range(2)}
        assert len(pages) == 1

    def test_impossible_pages(self):
        with pytest.raises(AudioError, match="one length"):
            abx_page({"one": (sound(0), sound(1, 0.4))}, RATE)
        for make in (lambda: abx_page({}, RATE), lambda: abx_page({"x": (sound(0),) * 2}, RATE, 0)):
            with pytest.raises(UnmixError, match="at least one"):
                make()
        for sounds in ({"ours": sound(0)}, {"reference": sound(0)}):
            with pytest.raises(UnmixError, match="MUSHRA needs"):
                mushra_page(sounds, RATE)


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
class TestScript:
    def run(self, expression):
        code = f"import * as m from {json.dumps(SCRIPT.as_uri())};"
        code += f"console.log(JSON.stringify({expression}))"
        command = ["node", "--input-type=module", "-e", code]
        return json.loads(
            subprocess.run(command, capture_output=True, check=True, text=True).stdout
        )

    def test_chances_are_those_of_the_package(self):
        cases = [(k, n) for n in (1, 12, 16, 60) for k in range(n + 1)]
        found = self.run(f"{json.dumps(cases)}.map(([k, n]) => m.abxPValue(k, n))")
        assert found == pytest.approx([abx_p_value(*case) for case in cases], rel=1e-9)

    def test_a_small_chance_is_not_printed_as_none(self):
        shown = self.run("[1, 0.2, 0.0193, 0.000244].map(m.percent)")
        assert shown == ["100.0 %", "20.0 %", "1.9 %", "less than 0.1 %"]

    def test_an_unfinished_test_has_no_p_value(self):
        trials = json.dumps([["A", "A"], ["B", "A"], ["B", "B"]])
        done, broken = self.run(f"[3, 5].map((wanted) => m.abxRow({{ trials: {trials}, wanted }}))")
        assert done["p"] == 0.5 and done["finished"] == "yes" and done["correct"] == 2
        assert (done["answers"], done["x"]) == ("ABB", "AAB")
        assert broken["p"] == "" and broken["finished"] == "no"
        assert (broken["answered"], broken["trials"]) == (3, 5)

    def test_every_order_comes(self):
        orders = self.run("Array.from({length: 600}, () => m.shuffled([1, 2, 3]).join(''))")
        counts = [orders.count(order) for order in set(orders)]
        assert len(counts) == 6 and min(counts) > 40

    def test_csv_is_read_back(self, tmp_path):
        row = {"listener": 'A "x"', "item": "a, b\nc", "condition": "ours", "score": 7}
        (tmp_path / "r.csv").write_bytes(self.run(f"m.toCsv([{json.dumps(row)}])").encode())
        assert read_ratings(tmp_path / "r.csv") == [{**row, "score": 7.0}]


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """A function: a page with this test, open in a browser."""
    if not BROWSER:
        pytest.skip("no Chromium or Chrome on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    folder = tmp_path_factory.mktemp("site")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        playwright.sync_playwright() as p,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = p.chromium.launch(executable_path=BROWSER, args=options)

        def open_page(page):
            (folder / "index.html").write_text(f"<!doctype html><meta charset=utf-8>{page}")
            tab = browser.new_context().new_page()
            tab.errors = []
            tab.on("pageerror", lambda error: tab.errors.append(str(error)))
            tab.goto(f"http://127.0.0.1:{server.server_port}/index.html")
            return tab

        yield open_page
        browser.close()
        server.shutdown()


def downloaded(tab, path):
    with tab.expect_download() as started:
        tab.get_by_role("button", name="Download results (CSV)").click()
    started.value.save_as(path)
    return path


def button(tab, name):
    return tab.get_by_role("button", name=name, exact=True)


def abx_table(tab, path):
    with open(downloaded(tab, path), newline="") as file:
        return list(csv.DictReader(file))


def test_abx_in_a_browser(visit, tmp_path):
    tab = visit(abx_page({"one": (sound(0), sound(1))}, RATE, trials=5))
    status = tab.get_by_role("status")
    for letter in "ABX":
        button(tab, letter).press("Enter")  # by keyboard
        assert button(tab, letter).get_attribute("aria-pressed") == "true"
    for _ in range(5):
        button(tab, "X").click()
        button(tab, "X is A").click()
        assert button(tab, "X").get_attribute("aria-pressed") == "false"  # it was the X before
    right = int(re.match(r"(\d) of 5 right", status.inner_text())[1])
    shown = float(re.search(r"([\d.]+) % of such", status.inner_text())[1])
    # 81.25 is 81.3 to JavaScript and 81.2 to Python: both are right to half a tenth.
    assert shown == pytest.approx(100 * abx_p_value(right, 5), abs=0.0501)
    assert button(tab, "X is A").is_disabled() and button(tab, "X").is_disabled()
    (row,) = abx_table(tab, tmp_path / "abx.csv")
    assert (row["listener"], row["item"], row["trials"]) == ("me", "one", "5")
    assert (row["answers"], row["x"].count("A")) == ("AAAAA", right)
    assert float(row["p"]) == pytest.approx(abx_p_value(right, 5), rel=1e-3)
    button(tab, "Forget results").click()
    button(tab, "Download results (CSV)").click()
    assert "no results" in status.inner_text()
    assert tab.errors == []


def test_abx_wants_every_x_heard(visit):
    tab = visit(abx_page({"one": (sound(0), sound(1))}, RATE, trials=3))
    status, place = tab.get_by_role("status"), tab.locator(".place")
    for _ in range(3):
        button(tab, "X is B").click()
    assert "listen to A, B, X" in status.inner_text() and "Trial 1" in place.inner_text()
    for letter in "ABX":
        button(tab, letter).click()
    button(tab, "X is B").click()
    button(tab, "X is B").click()  # of the next X, which nobody has played
    assert "listen to X first" in status.inner_text() and "Trial 2" in place.inner_text()


def test_abx_has_keys_and_they_spare_the_name(visit):
    tab = visit(abx_page({"one": (sound(0), sound(1))}, RATE))
    tab.locator(".place").click()
    for key in "abx":
        tab.keyboard.press(key)
        assert button(tab, key.upper()).get_attribute("aria-pressed") == "true"
    tab.keyboard.press("Escape")
    assert button(tab, "X").get_attribute("aria-pressed") == "false"
    name = tab.get_by_label("Your name")
    name.fill("")
    name.press_sequentially("abx")
    assert name.input_value() == "abx"
    assert button(tab, "X").get_attribute("aria-pressed") == "false"


def test_an_abx_test_broken_off_is_kept_and_said_so(visit, tmp_path):
    pairs = {"one": (sound(0), sound(1)), "two": (sound(2), sound(3))}
    tab = visit(abx_page(pairs, RATE, trials=4))
    status = tab.get_by_role("status")
    button(tab, "Begin again").click()
    assert status.inner_text() == ""  # nothing had begun
    for start in (lambda: button(tab, "Begin again").click(),
                  lambda: tab.get_by_label("Which pair?").select_option("two")):  # fmt: skip
        for letter in "ABX":
            button(tab, letter).click()
        button(tab, "X is A").click()
        start()
        assert "not finished: 1 of 4" in status.inner_text()
        assert button(tab, "X").get_attribute("aria-pressed") == "false"
    rows = abx_table(tab, tmp_path / "abx.csv")
    assert [(row["item"], row["finished"], row["p"]) for row in rows] == [("one", "no", "")] * 2


def test_the_test_that_falls_silent_releases_its_button(visit):
    first = abx_page({"one": (sound(0), sound(1))}, RATE)
    second = abx_page({"two": (sound(2), sound(3))}, RATE)
    tab = visit(f"{first}{second}")
    buttons = [tab.locator(".listening").nth(i).get_by_role("button", name="A", exact=True)
               for i in (0, 1)]  # fmt: skip
    for playing, silent in (buttons, buttons[::-1]):
        playing.click()
        assert playing.get_attribute("aria-pressed") == "true"
        assert silent.get_attribute("aria-pressed") == "false"
    assert tab.errors == []


def test_mushra_in_a_browser(visit, tmp_path):
    sounds = {"reference": sound(0), "ours": sound(1), "anchor": sound(2)}
    tab = visit(mushra_page(sounds, RATE, item="song", notes={"ours": {"SDR in dB": 4.0}}))
    tab.get_by_label("Your name").fill("Ann")
    status = tab.get_by_role("status")
    for i, letter in enumerate("ABC"):
        tab.get_by_role("button", name="Finish").click()
        assert letter in status.inner_text()  # still to be heard and rated
        tab.get_by_role("button", name=letter, exact=True).click()
        tab.get_by_label(f"rating of {letter}").fill(str(10 * i))
    tab.get_by_role("button", name="Finish").click()
    assert "hidden reference" in status.inner_text()
    assert "SDR in dB" in tab.get_by_role("table").inner_text()
    rows = read_ratings(downloaded(tab, tmp_path / "mushra.csv"))
    assert {row["condition"] for row in rows} == set(sounds)
    assert [row["score"] for row in rows] == [0, 10, 20] and rows[0]["listener"] == "Ann"
    tab.get_by_role("button", name="Rate again").click()  # with no reload
    assert tab.get_by_role("table").count() == 0 and status.inner_text() == ""
    button(tab, "Finish").click()
    assert "A, B, C first" in status.inner_text()  # nothing of the first run is taken over
    for letter in "ABC":
        button(tab, letter).click()
        tab.get_by_label(f"rating of {letter}").fill("70")
    button(tab, "Finish").click()
    rows = read_ratings(downloaded(tab, tmp_path / "mushra.csv"))
    assert [row["score"] for row in rows] == [0, 10, 20, 70, 70, 70]
    assert tab.errors == []


class TestWidgets:
    """Clicked from Python, as a browser would."""

    @pytest.fixture(autouse=True)
    def widgets(self):
        pytest.importorskip("ipywidgets")
        from unmix_lite.listening import widgets

        self.widgets = widgets

    def buttons(self, panel):
        found = {}
        for child in panel.children:
            if hasattr(child, "click"):
                found[child.description] = child
            found |= self.buttons(child) if hasattr(child, "children") else {}
        return found

    def test_abx(self):
        test = AbxTest("a", "b", trials=4, seed=0)
        panel = self.widgets.Abx(test, {"a": sound(0), "b": sound(1)}, RATE)
        buttons, stage = self.buttons(panel), panel.children[1]
        known = {}
        for letter in "AB":
            buttons[letter].click()
            known[letter] = stage.value
        assert known["A"] != known["B"]
        while not test.done:
            buttons["X"].click()
            buttons["X is A" if stage.value == known["A"] else "X is B"].click()
        assert test.correct == 4 and "4 of 4 right" in panel.children[-1].value
        assert buttons["X is A"].disabled
        buttons["X"].click()  # nothing left to play, and no error

    def test_mushra(self):
        test = MushraTest("voice", ["ours"], "song", seed=0)
        panel = self.widgets.Mushra(test, {"voice": sound(0), "ours": sound(1)}, RATE, "Ann")
        buttons, stage = self.buttons(panel), panel.children[1]
        heard = {}
        for letter in ("Reference", "A", "B"):
            buttons[letter].click()
            heard[letter] = stage.value
        with pytest.raises(UnmixError, match="sound A"):
            panel.rows()
        sliders = {row.children[0].description: row.children[1] for row in panel.children[2:]}
        for letter, slider in sliders.items():
            slider.value = 100 if heard[letter] == heard["Reference"] else 30
        assert {row["condition"]: row["score"] for row in panel.rows()} == {
            "reference": 100.0, "ours": 30.0,
        }  # fmt: skip
