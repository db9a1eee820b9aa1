"""The engine's files, a song, and Python's separator with the weights that the page has."""

import json

import browsers
import pytest
from page_weights import with_page_weights

from unmix_lite.corpora import open_corpus
from unmix_lite.explore import write_engine
from unmix_lite.separation import Separator

SECONDS = 4.0
NAMES = [
    pytest.param(name, marks=pytest.mark.skipif(not there, reason=f"no {name} on this machine"))
    for name, there in browsers.THERE.items()
]


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory):
    """What the page fetches."""
    folder = tmp_path_factory.mktemp("engine")
    write_engine(folder)
    return folder


@pytest.fixture(scope="session")
def song(band):
    """Four seconds of the band, (2, samples) at 44100 Hz."""
    return open_corpus(band).tracks("train")[0].mixture()[:, : int(SECONDS * 44100)].contiguous()


@pytest.fixture
def separator(engine_folder, monkeypatch):
    """`umx-lite` in Python, with the page's weights; its stems do not add up yet."""
    separator = Separator.from_pretrained("umx-lite", "cpu", complete=False)
    with_page_weights(engine_folder, separator, monkeypatch)
    return separator


@pytest.fixture(scope="session")
def live_folder(tmp_path_factory):
    """What the live page fetches."""
    folder = tmp_path_factory.mktemp("live")
    write_engine(folder, "umx-lite-live")
    return folder


@pytest.fixture(scope="session")
def stems(band):
    """The stems of a song of the band: dict name -> (2, samples) at 44100 Hz, four seconds."""
    track = open_corpus(band).tracks("train")[0]
    return {
        name: stem[:, : int(SECONDS * 44100)].contiguous() for name, stem in track.stems().items()
    }


@pytest.fixture(scope="module", params=NAMES)
def browser(request):
    """Each browser of this machine, open."""
    with browsers.opened(request.param) as browser:
        yield browser


@pytest.fixture(scope="module")
def on_page(browser, tmp_path_factory):
    """A function (control, state) -> the control's `reading` in a page, from a folder: there the
    page has no kernel, mounts the stored state, and is set to `state`. Its sounds are given as
    numbers, since the browsers' decoders of MP3 differ a little."""
    from explorables import script
    from page_weights import with_plain_sounds

    opened = {}

    def reading(control, state=()):
        if opened.get("control") is not control:
            folder = tmp_path_factory.mktemp("page")
            code = script(control.name).replace("</", "<\\/")
            (folder / "page.html").write_text(
                '<!doctype html><html lang="en"><meta charset="utf-8"><title>a control</title>'
                f"<body>{with_plain_sounds(control)}<script>{code}</script>"
            )
            browser.open((folder / "page.html").as_uri())
            opened["control"] = control
        return browser.compute(f"""
          const el = document.querySelector("[data-explorable]");
          const began = performance.now();
          while (el.dataset.live !== "ready") {{
            if (performance.now() - began > 30000) throw new Error("it never came to life");
            await new Promise((resolve) => setTimeout(resolve, 20));
          }}
          const first = {json.dumps(control.state)};
          for (const [key, value] of Object.entries({{...first, ...{json.dumps(dict(state))}}})) {{
            el.model.set(key, value);
          }}
          // What follows a change is done in the next frames.
          for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 50));
          return el.reading;
        """)

    return reading
