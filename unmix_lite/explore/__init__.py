"""What works in a page with no kernel behind it: the engine that separates a song there.

The engine is JavaScript with a small WebAssembly kernel, in `engine/`: the STFT, Open-Unmix, the
Wiener filter and the mean over repetitions, equal to Python's. From here come the files it needs.
"""

from .page_files import write_engine
from .scripts import bundle

__all__ = ["bundle", "write_engine"]
