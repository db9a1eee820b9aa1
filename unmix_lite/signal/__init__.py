"""Signal processing: what is done to sound and spectra before and after a network.

The STFT with its exact inverse, masks, the Wiener filter, a song's repetitions, factorisation, the
phase vocoder. It knows arrays, and neither files nor networks.
"""

from .factorisation import factorise
from .masking import apply_mask, complex_mask, ideal_binary_mask, ideal_ratio_mask, phase_aware_mask
from .phase_vocoder import time_stretch
from .repetition import average_repetitions
from .spectral import STFT, OverlapAdd, decibels, magnitude
from .wiener_filter import wiener

__all__ = [
    "STFT",
    "OverlapAdd",
    "apply_mask",
    "average_repetitions",
    "complex_mask",
    "decibels",
    "factorise",
    "ideal_binary_mask",
    "ideal_ratio_mask",
    "magnitude",
    "phase_aware_mask",
    "time_stretch",
    "wiener",
]
