"""What all controls share: a widget where a kernel is, the same module without one in the book."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile
import torch

from ..errors import require
from .scripts import bundle
from .sounds import encoded

if TYPE_CHECKING:
    import anywidget
    import traitlets
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
else:
    anywidget = require("anywidget", "course", "unmix_lite.explore")
    traitlets = import_module("traitlets")  # which anywidget brings

__all__ = [
    "Explorable",
    "HERE",
    "array",
    "carried",
    "figure_of",
    "still",
    "traitlets",
]

HERE = Path(__file__).parent


class Explorable(anywidget.AnyWidget):
    """A control: one ES module `explore/<name>.mjs`, and the state that it shares with Python.

    A subclass says its `name`, declares as traits what a hand can move (tagged `sync=True`, so that
    Python can read and set them), and draws the static figure that stands where no script runs.

    Attributes:
        name: of the module, and of `data-explorable`.
        alt: what is seen on the static figure, in words.
        data: what the module computes with: sounds, arrays, numbers; JSON.
    """

    name = ""
    alt = ""
    data = traitlets.Dict().tag(sync=True)

    def __init__(self, data: Mapping[str, Any], **state: Any) -> None:
        # One copy of the script in the page would do, but each output may be a world of its own.
        code = bundle(HERE / f"{self.name}.mjs")
        super().__init__(
            _esm=f"{code}\nexport default {{render: bundled.render}};", data=dict(data), **state
        )

    @property
    def state(self) -> dict[str, Any]:
        """What a hand can move: name -> value."""
        own = self.traits(sync=True).keys() - {*Explorable.class_trait_names(), "data"}
        return {name: getattr(self, name) for name in sorted(own) if not name.startswith("_")}

    def figure(self) -> Figure:
        """The first state as a still figure."""
        raise NotImplementedError

    def page(self) -> str:
        """The HTML that a built page shows: the figure, and the state for the page's script."""
        text = json.dumps({**self.state, "data": self.data}).replace("</", "<\\/")
        return (
            f'<div data-explorable="{self.name}">{still(self.figure(), self.name, self.alt)}'
            f'<script type="application/json">{text}</script></div>'
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        shown = super()._repr_mimebundle_(**options)
        if shown is None:
            return shown
        bundled, metadata = shown if isinstance(shown, tuple) else (shown, {})
        return {**bundled, "text/html": self.page()}, metadata


def figure_of(axes: Axes) -> Figure:
    """The figure that axes stand on."""
    from matplotlib.figure import Figure

    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    return figure


def still(figure: Figure, name: str, alt: str) -> str:
    """A figure as a drawing within the page, whose black is the page's ink."""
    import matplotlib.pyplot as plt

    file = io.StringIO()
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    plt.close(figure)
    drawing = file.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"\b(fill|stroke): #000000\b", r"\1: currentColor", drawing)
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    label = html.escape(alt, quote=True)
    head = f'<svg role="img" aria-label="{label}" fill="currentColor" style="max-width:100%" '
    return drawing.replace("<svg ", head, 1)


def carried(
    sounds: Mapping[str, torch.Tensor], rate: int
) -> tuple[dict[str, Any], dict[str, torch.Tensor], int]:
    """Sounds as a page carries them, and what they then are.

    Args:
        sounds: dict label -> `(channels, samples)`. rate: in Hz.

    Returns:
        a dict for `Explorable.data`: the MP3s in base64 and their rate; the sounds as they come
        back from MP3, so that Python's numbers are of what the page has; and that rate in Hz.
    """
    files, own, _ = encoded(sounds, rate)
    back = {}
    for label, mp3 in files.items():
        audio, _ = soundfile.read(io.BytesIO(mp3), dtype="float32", always_2d=True)
        back[label] = torch.from_numpy(audio.T.copy())
    length = min(audio.shape[1] for audio in back.values())
    texts = {label: base64.b64encode(mp3).decode() for label, mp3 in files.items()}
    return (
        {"sounds": texts, "rate": own, "samples": length},
        {label: audio[:, :length] for label, audio in back.items()},
        own,
    )


def array(values: torch.Tensor | np.ndarray) -> dict[str, Any]:
    """An array for `Explorable.data`: float32, in base64, with its shape."""
    numbers = np.ascontiguousarray(np.asarray(values), dtype="<f4")
    return {
        "shape": list(numbers.shape),
        "float32": base64.b64encode(numbers.tobytes()).decode(),
    }
