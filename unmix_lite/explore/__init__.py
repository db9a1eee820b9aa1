"""What works in a page with no kernel behind it: the engine that separates a song there.

The engine is JavaScript with a small WebAssembly kernel, in `engine/`: the STFT, Open-Unmix, the
Wiener filter and the mean over repetitions, equal to Python's. From here come the files it needs.
"""

from .page_files import ENGINE, live_parts, page_parts, write_engine, write_page, write_songs
from .scripts import KIT, bundle
from .sounds import encoded

__all__ = [
    "ENGINE",
    "KIT",
    "bundle",
    "encoded",
    "live_parts",
    "page_parts",
    "write_engine",
    "write_page",
    "write_songs",
]
