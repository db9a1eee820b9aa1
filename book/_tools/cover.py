"""Draw the front page's picture from the generated band: `python book/_tools/cover.py`.

On the left a song, each spot in the colour of the stem that sounds there; on the right the four
stems it is the sum of, at the same moments and frequencies.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_rgb

from unmix_lite import STFT
from unmix_lite.corpora import open_corpus
from unmix_lite.names import TARGETS
from unmix_lite.signal import decibels, magnitude

SECONDS, LOWEST, HIGHEST = 6, 45, 9000  # Hz
GROUND = "#0d1016"
# As on the book's dark pages.
COLOURS = {"vocals": "#ff8a3d", "drums": "#4aa8e8", "bass": "#2fcfa0", "other": "#e59cc4"}


def brightness(audio, rate, rows=360):
    """A spectrogram on logarithmic frequencies, `(rows, frames)` from 0 to 1."""
    stft = STFT(8192, 512)
    levels = decibels(magnitude(stft(audio)).mean(0), -34, reference=90.0)
    places = torch.from_numpy(np.geomspace(LOWEST, HIGHEST, rows) * stft.n_fft / rate)
    below = places.floor().long()
    shown = torch.lerp(levels[below], levels[below + 1], (places - below)[:, None].float())
    return (1 + shown / 34).clamp(0, 1).numpy() ** 1.3


def main():
    track = open_corpus("band").tracks("test")[0]
    stems = track.stems()
    lights = {
        name: brightness(stems[name][:, : SECONDS * track.rate], track.rate)[..., None]
        * np.array(to_rgb(COLOURS[name]))
        for name in TARGETS
    }
    ground = np.array(to_rgb(GROUND))
    figure = plt.figure(figsize=(11, 4.4), facecolor=GROUND)
    grid = figure.add_gridspec(
        4, 2, width_ratios=(1.25, 1), left=0.02, right=0.98, top=0.9, bottom=0.04, hspace=0.12,
        wspace=0.16,
    )  # fmt: skip
    song = figure.add_subplot(grid[:, 0])
    figure.text(0.02, 0.925, "a song", color="#e7eaf0", fontsize=17)
    pictures = [(song, sum(lights.values()))]
    for row, name in enumerate(TARGETS):
        axis = figure.add_subplot(grid[row, 1])
        pictures.append((axis, lights[name]))
        axis.text(-0.02, 0.5, name, color=COLOURS[name], fontsize=15, ha="right", va="center",
                  transform=axis.transAxes)  # fmt: skip
    figure.text(0.585, 0.925, "what it is the sum of", color="#e7eaf0", fontsize=17)
    for axis, light in pictures:
        axis.imshow(np.clip(ground + light, 0, 1), origin="lower", aspect="auto")
        axis.set(xticks=[], yticks=[])
        for spine in axis.spines.values():
            spine.set_color("#323a46")
    file = Path(__file__).parents[1] / "_static" / "cover.webp"
    figure.savefig(file, dpi=140, facecolor=GROUND, pil_kwargs={"quality": 84, "method": 6})
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
