"""Draw the front page's picture from the generated band: `python book/_tools/cover.py`."""

from pathlib import Path

import matplotlib.pyplot as plt

from unmix_lite import STFT, plots
from unmix_lite.corpora import open_corpus
from unmix_lite.signal import decibels, magnitude

TITLES = {
    "mixture": "song",
    "vocals": "vocals",
    "drums": "drums",
    "bass": "bass",
    "other": "other",
}


def main():
    track = open_corpus("band").tracks("test")[0]
    sounds = {"mixture": track.mixture(), **track.stems()}
    stft = STFT()
    # Read at a third of this size on a phone.
    with plots.style(), plt.rc_context({"font.size": 15, "axes.titlesize": 15}):
        figure, axes = plt.subplots(1, 5, figsize=(7, 2.2), sharey=True, layout="constrained")
    for axis, (name, title) in zip(axes, TITLES.items()):
        level = decibels(
            magnitude(stft(sounds[name][:, : 6 * track.rate])).mean(0), -30, reference=1
        )
        axis.imshow(
            level,
            origin="lower",
            aspect="auto",
            extent=(0, 6, 0, 22.05),
            vmin=-20,
            vmax=45,
            cmap="magma",
        )
        axis.set_ylim(0, 8)
        axis.set_title(
            title, color="#444444" if name == "mixture" else plots.COLOURS[name], weight="bold"
        )
        axis.set_xticks([])
        axis.set_yticks([])
    axes[0].set_ylabel("frequency")
    axes[0].set_xlabel("time")
    figure.savefig(Path(__file__).parents[1] / "_static" / "cover.png", dpi=130)


if __name__ == "__main__":
    main()
