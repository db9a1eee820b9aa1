"""Where to compute: a device that is there and works, and what to say when its memory is full."""

import contextlib
import errno
import os
import warnings
from collections.abc import Iterator

from .errors import MemoryFull, UnmixError

# Of PyTorch on a GPU and on a CPU, of C++, and of the system where it starts no more threads.
_FULL = ("out of memory", "not enough memory", "allocate memory", "bad_alloc", "new thread")


def device_of(name: str | None = None) -> str:
    """A device that exists; the best there is where none is asked for: CUDA, MPS, the CPU.

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


@contextlib.contextmanager
def memory_for(what: str, advice: str) -> Iterator[None]:
    """Raise a MemoryFull, one line, where what is done inside needs more memory than there is.

    Args:
        what: is being done, as the line's first words. advice: what to do about it.
    """
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if not _is_of_memory(error):
            raise
        text = str(error)
        place = "the GPU's" if "CUDA" in text or "MPS" in text else "this machine's"
        raise MemoryFull(f"{what}: needs more than {place} memory; {advice}.") from error


def memory_there() -> float:
    """Bytes of main memory that this process may have at most; infinite where nobody says."""
    most = float("inf")
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        most = most if limit == resource.RLIM_INFINITY else limit
        most = min(most, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return most


def _is_of_memory(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _FULL)


def _best() -> str:
    """A GPU that works, or the CPU, with a warning where a GPU is there and does not work."""
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
            warnings.warn(
                f"the GPU ({name}) cannot be used ({why}); computing on the CPU.", stacklevel=3
            )
        else:
            return name
    return "cpu"
