"""Players for notebooks and pages: several sounds on one transport, with the sound inside the HTML.

Where no script runs, plain players stand there, one for each sound.
"""

import base64
import html
from collections.abc import Mapping

import torch

from ..explore import KIT, bundle, encoded


class Players:
    """Sounds to switch between; shown by a notebook's cell that ends with them."""

    def __init__(self, figures: Mapping[str, str], rate: int) -> None:
        self._figures, self._rate = figures, rate

    def _repr_html_(self) -> str:
        columns = "repeat(auto-fill,minmax(min(100%,15rem),1fr))"
        style = f"display:grid;grid-template-columns:{columns};gap:0.5rem 1rem"
        return (
            f'<div class="players" data-rate="{self._rate}" style="{style}">'
            f"{''.join(self._figures.values())}</div>"
            f'<script class="players-script">{_SCRIPT}</script>'
        )

    def __repr__(self) -> str:
        return f"Players({', '.join(self._figures)})"


def script() -> str:
    """The script that brings a page's players to life; one does for all of them."""
    return f"(() => {{\n{bundle(KIT / 'player.mjs')}\nbundled.mountAll();\n}})();\n"


_SCRIPT = script().replace("</", "<\\/")


def player(audio: torch.Tensor, rate: int, label: str = "audio") -> Players:
    """One player; see `players`."""
    return players({label: audio}, rate)


def players(sounds: Mapping[str, torch.Tensor], rate: int) -> Players:
    """A player for several sounds, which are in step and share one gain so that levels compare.

    Sounds above full scale are all lowered by the same amount, and their labels say by how much.

    Args:
        sounds: a dict label -> audio, `(channels, samples)` or `(samples,)`, one or two channels.
        rate: in Hz; one that MP3 does not know is resampled to 44100 Hz.

    Returns:
        an object that notebooks show as HTML, with the sound inside as MP3.

    Raises:
        AudioError: nothing to play, more than two channels, or samples that are not finite.
    """
    compressed, own, note = encoded(sounds, rate)
    return Players({label: _figure(label + note, mp3) for label, mp3 in compressed.items()}, own)


def _figure(label: str, mp3: bytes) -> str:
    text = html.escape(label, quote=True)
    source = f"data:audio/mpeg;base64,{base64.b64encode(mp3).decode()}"
    return (
        '<figure style="margin:0;max-width:100%">'
        f'<figcaption style="font-size:0.9em">{text}</figcaption>'
        f'<audio controls preload="none" aria-label="{text}" '
        f'style="width:100%" src="{source}"></audio></figure>'
    )
