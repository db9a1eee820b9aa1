"""How much layers hear, against the layers themselves."""

from fractions import Fraction

import pytest
import torch
from torch import nn

from unmix_lite.models import DeepConvSep, VocalCNN, Wavenet, WaveUNet
from unmix_lite.models.receptive_field import receptive_field, round_up, spectral_context


@pytest.mark.parametrize(
    "layers",
    [[], [(1, 1, 1)], [(3, 1, 1)], [(3, 1, 4), (5, 1, 2)], [(3, 2, 1), (3, 1, 1)],
     [(15, 1, 1), (1, 2, 1), (7, 3, 2), (3, 1, 1)]],
)  # fmt: skip
def test_it_is_the_length_that_leaves_one_sample(layers):
    """And one sample less leaves none."""
    field = receptive_field(layers)
    stack = nn.Sequential(*(nn.Conv1d(1, 1, k, stride=s, dilation=d) for k, s, d in layers))
    assert stack(torch.zeros(1, 1, field)).shape[-1] == 1
    if field > 1:
        with pytest.raises(RuntimeError):
            stack(torch.zeros(1, 1, field - 1))


def test_it_is_where_a_gradient_comes_from():
    layers = [(3, 1, 1), (3, 2, 1), (5, 1, 2)]
    stack = nn.Sequential(*(nn.Conv1d(1, 1, k, stride=s, dilation=d) for k, s, d in layers))
    x = torch.zeros(1, 1, 200, requires_grad=True)
    stack(x)[0, 0, 20].backward()
    heard = x.grad[0, 0].nonzero()
    assert int(heard[-1] - heard[0]) + 1 == receptive_field(layers)


def test_going_up_again_brings_samples_nearer():
    assert receptive_field([(1, 2, 1), (3, 1, 1), (1, Fraction(1, 2), 1), (5, 1, 1)]) == 9


def test_a_context_is_a_whole_number_of_steps():
    assert [round_up(samples, 5) for samples in (0, 1, 5, 6)] == [0, 5, 5, 10]
    assert spectral_context(1, 8, 2, 1) == 8  # a frame, and all that its windows overlap
    assert spectral_context(5, 8, 2, 10) == 20


def test_the_contexts_of_the_networks_as_their_papers_have_them():
    """In samples."""
    assert WaveUNet().context == 16 * 4096 and WaveUNet().reach == (147443 - 16389) // 2
    assert WaveUNet(filters=1, levels=4).context == 16 * 16
    assert Wavenet().context == 4 * 1023 + 3
    assert Wavenet(channels=1, stacks=2, final=(2, 1)).context == 2 * 1023 + 3
    assert DeepConvSep().context == 7 * 5 * 512
    assert DeepConvSep(n_fft=256, hop_length=128).context == 7 * 5 * 128
    assert VocalCNN().context == 16 * 256
    assert VocalCNN(n_fft=256, hop_length=64).context == 16 * 64
