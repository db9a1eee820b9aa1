"""Untrained networks, alone and in folders, and noise to give them."""

import torch

from unmix_lite.models import OpenUnmix
from unmix_lite.names import TARGETS
from unmix_lite.weights import NetworkCard, save_network


def small(seed=0, channels=2, hidden_size=32, **options):
    """An untrained network whose batch norms are not the identity."""
    torch.manual_seed(seed)
    network = OpenUnmix(hidden_size, channels, **options).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2)
    return network


def four(channels=2):
    return {target: small(i, channels) for i, target in enumerate(TARGETS)}


def noise(channels, samples, seed=0):
    return 0.3 * torch.randn(channels, samples, generator=torch.Generator().manual_seed(seed))


def folder_of_networks(folder, **changes):
    for target, network in four().items():
        save_network(
            folder, network, NetworkCard(target, "OpenUnmix", network.arguments, **changes)
        )
    return folder
