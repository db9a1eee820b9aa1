"""How much a stack of layers hears, from the sizes of the layers."""

from collections.abc import Iterable
from fractions import Fraction

Layer = tuple[int, int | Fraction, int]
"""Kernel, stride, dilation. A layer that doubles the number of samples has a stride of 1/2."""


def receptive_field(layers: Iterable[Layer]) -> int:
    """Samples of the input that one sample of the output depends on, where no layer pads.

    A layer adds `(kernel - 1) * dilation` of its own samples, which lie as far apart in the input
    as all strides before it multiply to (Araujo, Norris and Sim, Distill 2019). Half of the others,
    `field // 2`, lie on either side.
    """
    field, distance = Fraction(1), Fraction(1)
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * dilation * distance
        distance *= stride
    return int(field)


def spectral_context(frames: int, n_fft: int, hop_length: int, grid: int) -> int:
    """Samples on either side of a sample on which it depends, through a spectrogram whose frames
    depend on `frames` of the mixture; rounded up to a multiple of `grid`.

    Half of those frames lie on either side, and a frame reaches over half a window on the way in
    and over another half on the way out.
    """
    return round_up(frames // 2 * hop_length + n_fft, grid)


def round_up(samples: int, grid: int) -> int:
    """The next multiple of `grid`."""
    return -(-samples // grid) * grid
