"""What can go wrong, each as one line that says what is wrong and what to do."""


class UnmixError(Exception):
    """The base of every error that is the input's fault; its message is one readable line."""


class AudioError(UnmixError):
    """Audio that cannot be read, written or separated."""


class CorpusError(UnmixError):
    """A data set that is missing, incomplete or not what it should be."""


class CheckpointError(UnmixError):
    """Weights or a training state that cannot be used."""


class DownloadError(UnmixError):
    """A download that failed: no network, a broken connection, or other bytes than promised."""
