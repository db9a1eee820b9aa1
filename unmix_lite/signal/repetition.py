"""A song repeats itself: the frames in which a source sounds alike, and the mean over them.

What a network says of one frame is a guess with an error of its own. The drummer hits the snare
dozens of times, though, and each time the network guesses anew: the mean of the guesses errs less
than any of them. Which frames belong together the separated sources tell better than the mixture,
in which something else plays every time; so one separates, looks for the frames that are alike,
averages the guesses over them, and separates again.

That is kernel additive modelling (Liutkus, FitzGerald, Rafii, Pardo, Daudet 2014) with a network
for its first guess. Its kernel, the k frames most alike, comes from REPET-SIM (Rafii, Pardo 2012),
which looks for them in the mixture; comparing stretches rather than points is what non-local means
do for pictures (Buades, Coll, Morel 2005).
"""

import torch
from torch.nn.functional import conv2d

_CONTEXT = 3  # frames to either side that are compared as well: 0.16 s in all
_SHARE = 5  # of the frames there are, at most every fifth is a neighbour


def average_repetitions(
    guesses: torch.Tensor, estimates: torch.Tensor, neighbours: int
) -> torch.Tensor:
    """For every source and frame, the mean of a guess over the frames in which it sounds alike.

    Two frames are alike if the square roots of the magnitudes in and around them are close. (The
    magnitudes themselves would leave the choice to the few that are loud. And a difference, unlike
    an angle, keeps loud from soft, and so the notes of a voice from its rests.) The more alike,
    the more a frame weighs; the first that is no neighbour any more would weigh nothing.

    Args:
        guesses: magnitudes `(sources, channels, freq, frames)`, what to average.
        estimates: magnitudes, same shape: the sources as far as they are known, what to compare.
        neighbours: frames to average, with the frame itself; at most a fifth of all, so that
            a short window is not made one long sound. 1 leaves everything as it is.

    Returns:
        magnitudes `(sources, channels, freq, frames)`.

    Raises:
        ValueError: less than one neighbour, or shapes that do not match.
    """
    if guesses.ndim != 4 or guesses.shape != estimates.shape:
        raise ValueError(
            f"guesses {tuple(guesses.shape)} and estimates {tuple(estimates.shape)} must both be "
            "(sources, channels, freq, frames)"
        )
    if neighbours < 1:
        raise ValueError(f"a frame is its own neighbour: there is at least 1, not {neighbours}")
    count = min(neighbours, guesses.shape[-1] // _SHARE)
    if count < 2:
        return guesses
    distances = _distances(estimates)
    radius = distances.kthvalue(count + 1, keepdim=True).values
    # Weights that reach zero where the neighbours end depend on nothing abruptly: should rounding
    # put a frame inside or outside, the mean stays what it is.
    weights = (radius - distances).clamp(min=0)
    # In digital silence all frames are the same, and each then keeps to itself.
    weights = weights + 1e-10 * torch.eye(weights.shape[-1]).to(weights)
    weights = weights / weights.sum(-1, keepdim=True)
    return (guesses.flatten(1, 2) @ weights.mT).view_as(guesses)


def _distances(estimates: torch.Tensor) -> torch.Tensor:
    """Squared distances between frames and what is around them: `(sources, frames, frames)`."""
    points = estimates.flatten(1, 2).sqrt()
    squares = points.square().sum(-2)
    distances = (squares[:, :, None] + squares[:, None] - 2 * points.mT @ points).clamp(min=0)
    # What is side by side in time lies along a diagonal here; at the ends there is less of it.
    along = torch.eye(2 * _CONTEXT + 1).to(distances)[None, None]
    there = conv2d(torch.ones_like(distances[:1, None]), along, padding=_CONTEXT)
    return (conv2d(distances[:, None], along, padding=_CONTEXT) / there)[:, 0]
