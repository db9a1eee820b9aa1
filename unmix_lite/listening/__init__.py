"""Listening: what people hear, and what their answers show.

Players for notebooks and pages, sounds made equally loud, and blind tests (ABX, MUSHRA); `widgets`
plays the tests where there is a kernel.
"""

from .blind_tests import (
    AbxTest,
    MushraTest,
    abx_p_value,
    read_ratings,
    screen_listeners,
    summarize_ratings,
)
from .html_players import Players, player, players
from .levels import loudness, low_pass, match_loudness, mix_at_sdr
from .page import abx_page, mushra_page

__all__ = [
    "AbxTest",
    "MushraTest",
    "Players",
    "abx_p_value",
    "abx_page",
    "loudness",
    "low_pass",
    "match_loudness",
    "mix_at_sdr",
    "mushra_page",
    "player",
    "players",
    "read_ratings",
    "screen_listeners",
    "summarize_ratings",
]
