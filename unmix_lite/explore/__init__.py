"""What works in a page with no kernel behind it: things to touch, and an engine that separates.

Each control, `mask_bench` for example, is a function here, a module of its name in JavaScript, and
in a notebook a widget whose state Python reads and sets. The engine, in `engine/`, is JavaScript
with a small WebAssembly kernel: the STFT, Open-Unmix, the Wiener filter and the mean over
repetitions, equal to Python's.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .page_files import ENGINE, live_parts, page_parts, write_engine, write_page, write_songs
from .scripts import KIT, bundle
from .sounds import encoded

if TYPE_CHECKING:
    from .controls.mask_bench import mask_bench

# Loaded when first asked for: they need the course's packages.
_CONTROLS = {
    "mask_bench": "mask_bench",
}

__all__ = [
    "ENGINE",
    "KIT",
    "bundle",
    "encoded",
    "live_parts",
    "mask_bench",
    "page_parts",
    "write_engine",
    "write_page",
    "write_songs",
]


def __getattr__(name: str) -> Any:
    if name not in _CONTROLS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f".controls.{_CONTROLS[name]}", __name__), name)
    globals()[name] = found
    return found
