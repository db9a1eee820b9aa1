"""Figures of the book are drawings whose colours follow the page."""

import base64
import io
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra [course]")
import matplotlib.pyplot as plt
from PIL import Image

from unmix_lite import plots


@pytest.fixture(scope="module")
def figures(repository):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repository / "book" / "_ext")
        sys.modules.pop("figures", None)
        import figures

        yield figures
        sys.modules.pop("figures", None)


def drawing():
    """A figure as a kernel of the build draws it: a line in a stem's colour, and pixels."""
    with plots.style(), plt.rc_context({"svg.fonttype": "none"}):
        figure, (left, right) = plt.subplots(1, 2)
        left.plot([0, 1], color=plots.COLOURS["vocals"])
        left.set_title("a title")
        right.imshow(np.random.default_rng(0).normal(size=(200, 200)), cmap="magma")
        file = io.StringIO()
        figure.savefig(file, format="svg")
    plt.close(figure)
    return file.getvalue()


def test_ink_ground_and_stems_follow_the_page(figures):
    done = figures.themed(drawing())
    ElementTree.fromstring(done)  # still well-formed
    body = done.split("</style>", 1)[1]
    assert "var(--vocals)" in body and "var(--ground)" in body and "var(--ink)" in body
    assert not re.search(r"(fill|stroke): #(000000|ffffff|d55e00)", body)
    assert "prefers-color-scheme:dark" in done and ">a title</text>" in done


def test_every_colour_of_a_stem_has_a_light_and_a_dark_one(figures):
    for name in ("vocals", "drums", "bass", "other"):
        drawn, light, dark = figures.COLOURS[name]
        assert drawn == plots.COLOURS[name].lower() and light != dark


def test_pixels_become_webp_and_stay_what_they_were(figures):
    before, after = drawing(), figures.themed(drawing())
    assert "image/png" in before and "image/png" not in after and len(after) < len(before)
    pictures = [
        Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", text)[1])))
        for text in (before, after)
    ]
    one, other = (np.asarray(picture.convert("RGB"), float) for picture in pictures)
    assert one.shape == other.shape and np.abs(one - other).mean() < 12


def test_other_drawings_and_finished_ones_stay_as_they_are(figures):
    logo = "<svg fill: #000000></svg>"
    assert figures.themed(logo) is logo
    done = figures.themed(drawing())
    assert figures.themed(done) is done
