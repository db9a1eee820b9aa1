"""Invented artists and titles."""

import numpy as np

_FIRST = (
    "Velvet Copper Paper Midnight Marble Lemon Silver Hollow Gentle Northern Crooked Sunday "
    "Plastic Amber Quiet Electric Tender Wooden Winter Cobalt Golden Salty Distant Patient "
    "Rusty Honest Floating Scarlet Borrowed Humble Clever"
).split()
_SECOND = (
    "Lanterns Foxes Harbour Orchard Tramways Kites Parade Weather Teacups Satellites Pianos "
    "Gardens Swallows Bicycles Lighthouse Cousins Postcards Engine Cinema Islands Magpies "
    "Umbrella Choir Staircase Comets Bakery Radiators Pocket Ferry"
).split()
_VERBS = (
    "Waiting Falling Singing Running Dancing Counting Leaving Dreaming Sailing Humming Writing "
    "Hiding Driving Walking Laughing Glowing"
).split()
_PLACES = (
    "for the Rain|Past the Harbour|Under Neon|Until Tuesday|Without a Map|in the Kitchen|"
    "by the River|After the Snow|on the Night Train|Over Rooftops|Through the Static|"
    "Back to You|in Blue|at the Roundabout|With the Lights On|to the Last Stop|"
    "Before Breakfast|Beside the Sea|Along the Canal"
).split("|")

_ARTISTS = [f"{first} {second}" for first in _FIRST for second in _SECOND]  # 31 x 29 = 899
_TITLES = [f"{verb} {place}" for verb in _VERBS for place in _PLACES]  # 16 x 19 = 304
# 899 and 304 share no divisor, so walking both lists side by side meets no pair twice.
SONGS_WITH_A_NAME = len(_ARTISTS) * len(_TITLES)


def name_song(seed: int, split: str = "train", index: int = 0) -> tuple[str, str]:
    """`(artist, title)` of song `index` of a split, each pair once within a corpus.

    The test songs are counted from the far end, so that the two splits share no artist as long as
    they hold fewer than 899 songs together, and no name up to `SONGS_WITH_A_NAME`.
    """
    rng = np.random.default_rng([seed, 7001])
    artists, titles = rng.permutation(len(_ARTISTS)), rng.permutation(len(_TITLES))
    position = index if split == "train" else -1 - index
    return _ARTISTS[artists[position % len(_ARTISTS)]], _TITLES[titles[position % len(_TITLES)]]
