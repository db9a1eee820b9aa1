"""Blind listening tests as HTML that needs no kernel: in a notebook's output, or in a page.

The sounds, compressed, and the script `listening.mjs` lie inside the HTML: nothing is fetched.
"""

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ..errors import AudioError, UnmixError
from ..explore import bundle, encoded

_SCRIPT = Path(__file__).with_name("listening.mjs")
# Beside the look that everything one can touch has (`explore/kit/look.mjs`).
_STYLE = """
.listening { padding: .75rem 1rem; }
.listening > label { display: inline-block; margin-right: .8rem; }
.listening button, .listening select { margin: .15rem .3rem .15rem 0; }
.listening input[type=text] { font: inherit; color: inherit; background: transparent;
  border: 1px solid currentColor; border-radius: 8px; padding: .2rem .6rem; min-height: 2.25rem;
  max-width: 100%; }
.listening .rating { display: grid; grid-template-columns: 3.2rem 1fr 7.5rem; gap: .5rem;
  align-items: center; }
.listening table { display: block; overflow-x: auto; }
.listening td, .listening th { padding: .15rem .6rem; text-align: left; }
"""


class ListeningPage:
    """A test that a notebook's cell shows when it ends with it; `str` of it is the HTML."""

    def __init__(self, title: str, test: Mapping[str, Any]) -> None:
        # The same test has the same name, so that building a book twice gives the same page.
        self._text = json.dumps(test).replace("</", "<\\/")
        self._id = "listening-" + hashlib.sha256(self._text.encode()).hexdigest()[:12]
        self._title = title

    def _repr_html_(self) -> str:
        script = bundle(_SCRIPT).replace("</", "<\\/")
        title = html.escape(self._title, quote=True)
        return (
            f'<section class="listening" id="{self._id}" aria-label="{title}">'
            f"<style>{_STYLE}</style><p><strong>{title}</strong></p>"
            '<p class="waiting">This test runs in your browser and needs JavaScript.</p>'
            f'<script type="application/json">{self._text}</script></section>'
            f'<script type="module">{script}\nbundled.mount("{self._id}");</script>'
        )

    __str__ = _repr_html_

    def __repr__(self) -> str:
        return f"ListeningPage({self._title!r})"


def abx_page(
    pairs: Mapping[str, Sequence[torch.Tensor]],
    rate: int,
    trials: int = 12,
    title: str = "ABX: can you hear it?",
) -> ListeningPage:
    """An ABX test in a page; its draws are the browser's.

    Args:
        pairs: dict item -> (a, b), two sounds `(channels, samples)` each. Sounds that several pairs
            share are stored once.
        rate: in Hz.
        trials: how many per test.

    Returns:
        what a notebook shows as HTML.

    Raises:
        AudioError: sounds of different lengths, or ones that cannot be played.
        UnmixError: no pair, or no trial.
    """
    if not pairs or trials < 1:
        raise UnmixError("an ABX page needs at least one pair and one trial.")
    labels: dict[int, str] = {}
    sounds, entries = {}, []
    for item, pair in pairs.items():
        for sound in pair:
            labels.setdefault(id(sound), f"s{len(labels)}")
            sounds[labels[id(sound)]] = sound
        entries.append(dict(zip(("item", "a", "b"), (str(item), *(labels[id(s)] for s in pair)))))
    test = {"kind": "abx", "trials": trials, "pairs": entries, **_encode(sounds, rate)}
    return ListeningPage(title, test)


def mushra_page(
    sounds: Mapping[str, torch.Tensor],
    rate: int,
    reference: str = "reference",
    item: str = "",
    notes: Mapping[str, Mapping[str, Any]] | None = None,
    title: str | None = None,
) -> ListeningPage:
    """A MUSHRA test in a page: every sound rated from 0 to 100, the reference hidden among them.

    Args:
        sounds: dict label -> sound `(channels, samples)`, the reference among them. Match their
            loudness first (`match_loudness`).
        rate: in Hz.
        reference: its label.
        item: what is rated, as it will stand in the CSV.
        notes: dict label -> dict of what else the result is to say of a sound, its SDR for example.

    Returns:
        what a notebook shows as HTML.

    Raises:
        AudioError: sounds of different lengths, or ones that cannot be played.
        UnmixError: no such reference, or nothing to compare it with.
    """
    if reference not in sounds or not 2 <= len(sounds) <= 26:
        raise UnmixError(f"MUSHRA needs '{reference}' and one to 25 sounds to compare it with.")
    test = {
        "kind": "mushra", "item": item, "reference": reference, "conditions": list(sounds),
        "notes": notes or {}, **_encode(sounds, rate),
    }  # fmt: skip
    return ListeningPage(title or f"MUSHRA: {item}".rstrip(": "), test)


def _encode(sounds: Mapping[str, torch.Tensor], rate: int) -> dict[str, Any]:
    lengths = {label: sound.shape[-1] for label, sound in sounds.items()}
    if len(set(lengths.values())) > 1:
        raise AudioError(f"sounds that play in step need one length, not {lengths} samples.")
    files, own, _ = encoded(sounds, rate)
    texts = {label: base64.b64encode(mp3).decode() for label, mp3 in files.items()}
    return {"sounds": texts, "rate": own}
