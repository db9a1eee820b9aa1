"""Controls, moved for a while."""

import contextlib


@contextlib.contextmanager
def as_set(control, state=()):
    """A control in a state; afterwards it is as it was before, whatever was moved."""
    first = control.state
    try:
        for name, value in dict(state).items():
            setattr(control, name, value)
        yield control
    finally:
        for name, value in first.items():
            setattr(control, name, value)
