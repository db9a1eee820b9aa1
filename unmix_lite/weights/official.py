"""Weights that others published, downloaded once.

Those of Open-Unmix: Stöter, Uhlich, Liutkus and Mitsufuji, from Zenodo. The files are pickles: they
are opened only if their SHA-256 begins as their names promise, and even then nothing but tensors is
read from them. And those of Hybrid Demucs that torchaudio names; for them no digest is published.
"""

import hashlib
import os
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..download import download
from ..errors import CheckpointError, DownloadError
from ..files import alone_with, cache_folder
from ..models import HybridDemucs, OpenUnmix
from .network_files import NetworkCard

# Of the transform and the data, not of the network.
_FOREIGN = {"sample_rate", "stft.window", "transform.0.window"}


@dataclass(frozen=True)
class Published:
    """A set of published weights.

    Attributes:
        record: its number at Zenodo. files: target -> name, which ends with the first eight digits
            of the file's SHA-256.
        what: trained on what. licence: under which it is published.
        rate, n_fft, hop_length: of the networks' STFT, in Hz and samples.
    """

    record: int
    files: dict[str, str]
    what: str
    licence: str
    rate: int = 44100
    n_fft: int = 4096
    hop_length: int = 1024


def _four(vocals: str, drums: str, bass: str, other: str) -> dict[str, str]:
    names = {"vocals": vocals, "drums": drums, "bass": bass, "other": other}
    return {target: f"{target}-{digits}.pth" for target, digits in names.items()}


OFFICIAL = {
    "umx": Published(
        3370486, _four("c8df74a5", "5a48008b", "646024d3", "f8e132cc"), "MUSDB18", "MIT"
    ),
    "umxhq": Published(
        3370489, _four("b62c91ce", "9619578f", "8d85a5bd", "b52fbbf7"), "MUSDB18-HQ", "MIT"
    ),
    "umxl": Published(
        5069601, _four("bccbd9aa", "69e0ebd4", "2ca1ce51", "c8c5b3e6"),
        "a larger, private collection",
        "CC BY-NC-SA 4.0: with attribution, not for commercial use, and what is made from it under "
        "the same licence",
    ),
    "umxse": Published(
        3786908, {"speech": "speech_f5e0d9f9.pth", "noise": "noise_04a6fc2d.pth"},
        "speech in noise (Voicebank and DEMAND)", "MIT", 16000, 1024, 512,
    ),
}  # fmt: skip
"""By the names that the reference gives them."""


def load_official(name: str, target: str, progress: bool = True) -> tuple[OpenUnmix, NetworkCard]:
    """One published network and its card; downloaded at the first call.

    Raises:
        CheckpointError: no network connection and no file of an earlier call, a download that came
            out wrong, or a file that is not what it should be.
    """
    published = OFFICIAL[name]
    path = _fetch(name, published, target, progress)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = {key: value.float() for key, value in state.items() if key not in _FOREIGN}
        network = OpenUnmix(**_arguments(state))
        missing = set(network.state_dict()) - set(state)
        # Files of before PyTorch 0.4.1 do not count their batches, which nothing here needs.
        state |= {key: torch.zeros(()) for key in missing if key.endswith("num_batches_tracked")}
        network.load_state_dict(state, strict=True)
    except (RuntimeError, LookupError, ValueError, AttributeError, pickle.PickleError) as error:
        first = " ".join(str(error).split())[:160]
        raise CheckpointError(f"{path}: is no Open-Unmix ({first}).") from error
    card = NetworkCard(
        target, "OpenUnmix", network.arguments, published.n_fft, published.hop_length,
        published.rate, {"source": _url(published, target), "licence": published.licence},
    )  # fmt: skip
    return network.eval(), card


DEMUCS = "hdemucs"
"""Hybrid Demucs, trained on the training songs of MUSDB18-HQ alone."""


def load_demucs(progress: bool = True) -> tuple[HybridDemucs, NetworkCard]:
    """The network and its card; downloaded (some 330 MB) at the first call.

    Raises:
        CheckpointError: as `load_official`.
        UnmixError: without torchaudio.
    """
    base = os.environ.get("UNMIX_LITE_PYTORCH") or "https://download.pytorch.org"
    url = f"{base.rstrip('/')}/torchaudio/models/hdemucs_high_musdbhq_only.pt"
    path = cache_folder() / "weights" / DEMUCS / Path(url).name
    network = HybridDemucs()
    try:
        with alone_with(path):
            if not path.is_file():
                path = download(url, path, progress=progress)
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.inner.load_state_dict(state)
    except DownloadError as error:
        raise CheckpointError(f"{DEMUCS}: its weights could not be downloaded ({error})") from error
    except (RuntimeError, LookupError, ValueError, AttributeError, pickle.PickleError) as error:
        first = " ".join(str(error).split())[:160]
        message = f"{path}: is no Hybrid Demucs ({first}); delete it to download it again."
        raise CheckpointError(message) from error
    card = NetworkCard(
        "-".join(network.targets), "HybridDemucs", network.arguments, rate=network.rate,
        training={"source": url},
    )  # fmt: skip
    return network.eval(), card


def _fetch(name: str, published: Published, target: str, progress: bool) -> Path:
    """The verified file of one network."""
    file = published.files[target]
    promised = Path(file).stem[-8:]
    path = cache_folder() / "weights" / name / file
    with alone_with(path):
        return _verified(path, promised) or _download(name, published, target, path, progress)


def _verified(path: Path, promised: str) -> Path | None:
    """The path, if a file is there whose SHA-256 begins so."""
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest().startswith(promised):
        return path
    return None


def _download(name: str, published: Published, target: str, path: Path, progress: bool) -> Path:
    if progress and not any(path.parent.glob("*.pth")):
        print(f"{name}: Open-Unmix, trained on {published.what}. Licence: {published.licence}.")
    try:
        checksum = f"sha256:{path.stem[-8:]}"
        return download(_url(published, target), path, checksum=checksum, progress=progress)
    except DownloadError as error:
        raise CheckpointError(f"{name}: its weights could not be downloaded ({error})") from error


def _url(published: Published, target: str) -> str:
    """Where a file lies; `UNMIX_LITE_ZENODO` names another host, a mirror."""
    base = os.environ.get("UNMIX_LITE_ZENODO") or "https://zenodo.org"
    return f"{base.rstrip('/')}/records/{published.record}/files/{published.files[target]}"


def _arguments(state: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """What a network must be built with, read off the shapes of its weights."""
    hidden, inputs = state["fc1.weight"].shape
    max_bin, bins = len(state["input_mean"]), len(state["output_mean"])
    layers = [key for key in state if re.fullmatch(r"lstm\.weight_ih_l\d+", key)]
    return {
        "hidden_size": hidden, "nb_channels": inputs // max_bin, "max_bin": max_bin,
        "nb_bins": bins, "unidirectional": "lstm.weight_ih_l0_reverse" not in state,
        "nb_layers": len(layers),
    }  # fmt: skip
