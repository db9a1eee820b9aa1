"""Networks on disk: written, read, downloaded and exported.

A folder of `<target>.safetensors` is a model; `load_networks` finds those that come with the
package, those that others published, and your own.
"""

from .export import export_networks, folded_weights
from .loading import DEFAULT, PRETRAINED, is_official, load_networks, pretrained_names, targets_of
from .network_files import NetworkCard, load_network, read_safetensors, save_network
from .official import DEMUCS, OFFICIAL, load_demucs, load_official

__all__ = [
    "DEFAULT",
    "DEMUCS",
    "OFFICIAL",
    "PRETRAINED",
    "NetworkCard",
    "export_networks",
    "folded_weights",
    "is_official",
    "load_demucs",
    "load_network",
    "load_networks",
    "load_official",
    "pretrained_names",
    "read_safetensors",
    "save_network",
    "targets_of",
]
