"""Pictures and tables: spectrograms, waveforms, masks, training curves and scores.

Every function draws and returns; none shows, saves or keeps anything. Given no `ax` it makes a
figure of its own, sized to stay legible on a phone. Colours come from a palette that colour-blind
readers can tell apart (Okabe and Ito 2008), spectrograms from perceptually uniform colour maps.
"""

from .charts import LiveCurve, curves, score_chart
from .look import COLOURS, WIDTH, colour, style
from .spectra import mask, spectrogram, spectrograms, waveform
from .tables import Table, table

__all__ = [
    "COLOURS",
    "WIDTH",
    "LiveCurve",
    "Table",
    "colour",
    "curves",
    "mask",
    "score_chart",
    "spectrogram",
    "spectrograms",
    "style",
    "table",
    "waveform",
]
