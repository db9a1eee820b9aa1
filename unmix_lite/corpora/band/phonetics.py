"""How the voice forms its sounds: formants of vowels, and where consonants come from.

Formants after Peterson and Barney (1952) for men, rounded, with the singer's closer upper ones;
consonant loci and noise bands after Stevens, *Acoustic Phonetics* (1998).
"""

from dataclasses import dataclass

# F1 to F5 in Hz of a tract of length 1; their bandwidths in Hz.
VOWELS = {
    "a": (730, 1090, 2440, 3200, 3900),
    "e": (500, 1850, 2500, 3250, 3900),
    "i": (280, 2200, 2950, 3350, 3950),
    "o": (510, 850, 2450, 3150, 3850),
    "u": (320, 800, 2300, 3150, 3850),
}
BANDWIDTHS = (75, 90, 130, 170, 220)
# Above F5 the tract goes on resonating every kilohertz or so, whatever is sung.
UPPER_FORMANTS = (5000, 6100, 7200, 8300, 9400, 10500)


@dataclass(frozen=True)
class Consonant:
    """`duration` in s, `locus` the first three formants in Hz (None: those of the vowel).

    `voicing` is the level of the vocal folds, `breath` of noise through the whole tract, `noise`
    of noise made in the mouth, between the frequencies of `band` (Hz). A `stop` is silent first
    and bursts at its end.
    """

    duration: float
    locus: tuple[float, float, float] | None = None
    voicing: float = 0.0
    breath: float = 0.0
    noise: float = 0.0
    band: tuple[float, float] = (2000, 6000)
    stop: bool = False


CONSONANTS = {
    "": Consonant(0.03, voicing=0.75),
    "m": Consonant(0.08, (250, 1000, 2200), voicing=0.4),
    "n": Consonant(0.07, (250, 1500, 2500), voicing=0.4),
    "l": Consonant(0.07, (360, 1100, 2600), voicing=0.55),
    "r": Consonant(0.08, (420, 1250, 1650), voicing=0.55),
    "w": Consonant(0.08, (300, 650, 2250), voicing=0.6),
    "y": Consonant(0.08, (270, 2250, 3000), voicing=0.6),
    "h": Consonant(0.07, breath=0.35),
    "s": Consonant(0.12, (350, 1700, 2600), noise=0.35, band=(4800, 11000)),
    "sh": Consonant(0.12, (350, 1900, 2500), noise=0.45, band=(2200, 7000)),
    "f": Consonant(0.1, (350, 1100, 2200), noise=0.12, band=(2500, 11000)),
    "t": Consonant(0.09, (350, 1800, 2700), breath=0.1, noise=0.4, band=(3000, 9000), stop=True),
    "k": Consonant(0.09, (300, 1900, 2400), breath=0.12, noise=0.4, band=(1300, 4000), stop=True),
    "p": Consonant(0.09, (350, 800, 2200), breath=0.15, noise=0.3, band=(400, 2500), stop=True),
    "d": Consonant(0.06, (300, 1700, 2600), voicing=0.15, noise=0.2, band=(2500, 7000), stop=True),
    "b": Consonant(0.06, (300, 800, 2200), voicing=0.15, noise=0.15, band=(300, 2000), stop=True),
}
