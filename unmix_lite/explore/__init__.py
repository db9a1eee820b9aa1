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
    from .controls.augmentation_bench import augmentation_bench
    from .controls.ladder_explorer import ladder_explorer
    from .controls.mask_bench import mask_bench
    from .controls.mixing_desk import mixing_desk
    from .controls.network_bench import network_bench
    from .controls.parts_bench import parts_bench
    from .controls.repetition_bench import repetition_bench
    from .controls.ruin_seconds import ruin_seconds
    from .controls.ruler_bench import ruler_bench
    from .controls.threshold_test import threshold_test
    from .controls.training_scrubber import training_scrubber
    from .controls.wiener_bench import wiener_bench
    from .controls.window_bench import window_bench

# Loaded when first asked for: they need the course's packages.
_CONTROLS = {
    "augmentation_bench": "augmentation_bench",
    "ladder_explorer": "ladder_explorer",
    "mask_bench": "mask_bench",
    "mixing_desk": "mixing_desk",
    "network_bench": "network_bench",
    "parts_bench": "parts_bench",
    "repetition_bench": "repetition_bench",
    "ruin_seconds": "ruin_seconds",
    "ruler_bench": "ruler_bench",
    "threshold_test": "threshold_test",
    "training_scrubber": "training_scrubber",
    "wiener_bench": "wiener_bench",
    "window_bench": "window_bench",
}

__all__ = [
    "ENGINE",
    "KIT",
    "augmentation_bench",
    "bundle",
    "encoded",
    "ladder_explorer",
    "live_parts",
    "mask_bench",
    "mixing_desk",
    "network_bench",
    "page_parts",
    "parts_bench",
    "repetition_bench",
    "ruin_seconds",
    "ruler_bench",
    "threshold_test",
    "training_scrubber",
    "wiener_bench",
    "window_bench",
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
