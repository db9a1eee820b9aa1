"""Where to compute: a device that is there and works."""

import sys

from ..errors import UnmixError


def device_of(name: str | None) -> str:
    """A device that exists; the best there is where none is asked for.

    Raises:
        UnmixError: the one that is asked for is not there, or cannot be used.
    """
    import torch

    if name is None:
        return _best()
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UnmixError(
            f"the device '{name}' is not there; use cpu, or leave --device out."
        ) from error
    return name


def _best() -> str:
    """A GPU that works, or the CPU, with one line where a GPU is there and does not work."""
    import torch

    for name, there in (
        ("cuda", torch.cuda.is_available),
        ("mps", torch.backends.mps.is_available),
    ):
        if not there():
            continue
        try:
            torch.zeros(1, device=name).add_(1).sum().item()
        except (RuntimeError, AssertionError) as error:
            why = str(error).strip().splitlines()[0].rstrip(".") if str(error) else "no reason"
            print(
                f"unmix-lite: note: the GPU ({name}) cannot be used ({why}); computing on the CPU.",
                file=sys.stderr,
            )
        else:
            return name
    return "cpu"
