"""Damage: what becomes of bytes on bad disks, in bad transfers and in bad hands."""

import json

from hypothesis import strategies as st

_EXTREME = (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f",
            b"\x80\x00\x00\x00", b"\x01\x00\x00\x00")  # fmt: skip
_KINDS = ("flip", "cut", "insert", "double", "truncate", "extreme", "swap")

edits = st.lists(
    st.tuples(
        st.sampled_from(_KINDS),
        # Headers are where readers stumble: half of all damage is done there.
        st.one_of(st.integers(0, 200), st.integers(0, 1 << 20)),
        st.integers(0, 255),
        st.binary(min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=5,
)
"""Lists of damages, for `damaged`."""


def damaged(content, changes):
    """Bytes after a list of changes."""
    content = bytearray(content)
    for kind, place, number, piece in changes:
        place %= max(1, len(content))
        if kind == "flip" and content:
            content[place] ^= number or 1
        elif kind == "cut":
            del content[place : place + 1 + number]
        elif kind == "insert":
            content[place:place] = piece
        elif kind == "double":
            content[place:place] = content[place : place + 1 + 16 * number]
        elif kind == "truncate":
            del content[place:]
        elif kind == "extreme":
            content[place : place + 4] = _EXTREME[number % len(_EXTREME)]
        elif kind == "swap":
            content[place : place + len(piece)] = piece
    return bytes(content)


odd = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(), st.text(max_size=8),
    st.just([]), st.just({}), st.just([{}]), st.just({"a": None}),
)  # fmt: skip
"""Values that JSON can hold, and that nobody expects where they are put."""

misplacings = st.lists(st.tuples(st.integers(0, 1 << 16), odd), min_size=1, max_size=3)
"""Lists of misplacings, for `misplaced`."""


def misplaced(document, changes):
    """A JSON document in which some values, of those anywhere in it, have become others."""
    document = json.loads(json.dumps(document))
    for number, value in changes:
        places = list(_places(document))
        if places:
            holder, key = places[number % len(places)]
            holder[key] = value
    return document


def _places(node):
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(items):
        yield node, key
        if isinstance(value, (dict, list)):
            yield from _places(value)
