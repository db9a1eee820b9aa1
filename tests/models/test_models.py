"""Open-Unmix: the reference's numbers and names, and what the article says of its two variants."""

import pytest
import torch

from unmix_lite.models import MODELS, OpenUnmix, build


def magnitudes(batch=2, channels=2, frames=12, bins=2049):
    return torch.rand(batch, channels, bins, frames, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("hidden_size", [64, 256, 512, 1024])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("unidirectional", [False, True])
def test_equals_the_reference(hidden_size, channels, unidirectional):
    from openunmix.model import OpenUnmix as Reference

    torch.manual_seed(1)
    reference = Reference(2049, channels, hidden_size, unidirectional=unidirectional, max_bin=1487)
    for module in reference.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_var.uniform_(0.5, 2)
    reference.eval()
    ours = OpenUnmix(hidden_size, channels, unidirectional=unidirectional).eval()
    ours.load_state_dict(reference.state_dict(), strict=True)
    x = magnitudes(channels=channels)
    expected = reference(x)
    assert (ours(x) - expected).norm() / expected.norm() < 1e-5


def test_statistics_are_stored_as_the_reference_stores_them():
    from openunmix.model import OpenUnmix as Reference

    mean, deviation = torch.rand(2049), torch.rand(2049) + 0.5
    reference = Reference(
        2049, 2, 16, max_bin=1487, input_mean=mean.numpy(), input_scale=deviation.numpy()
    )
    ours = OpenUnmix(16, input_mean=mean, input_scale=deviation)
    assert torch.equal(ours.input_mean, reference.input_mean)
    assert torch.allclose(ours.input_scale, reference.input_scale)


def test_parameters_at_512():
    assert sum(p.numel() for p in OpenUnmix(512).parameters()) == 8_893_348


@pytest.mark.parametrize("unidirectional", [False, True])
def test_only_the_bidirectional_network_sees_the_future(unidirectional):
    torch.manual_seed(0)
    network = OpenUnmix(32, unidirectional=unidirectional).eval()
    x = magnitudes(batch=1)
    changed = x.clone()
    changed[..., 8:] += 1
    before = (network(x)[..., :8] - network(changed)[..., :8]).abs().max()
    assert (before == 0) == unidirectional


def test_nothing_above_max_bin_is_heard_but_it_is_masked():
    torch.manual_seed(0)
    network = OpenUnmix(16).eval()
    x = magnitudes(batch=1)
    changed = x.clone()
    changed[:, :, 1487:] *= 2
    assert torch.equal(network.mask(x), network.mask(changed))
    assert network(changed)[:, :, 1487:].sum() > network(x)[:, :, 1487:].sum()


def test_estimates_are_magnitudes():
    assert OpenUnmix(16)(magnitudes()).min() >= 0


def test_wrong_shapes_and_names_are_one_line():
    with pytest.raises(ValueError, match="2 channels and 2049 frequencies, not 1 and 2049"):
        OpenUnmix(16)(magnitudes(channels=1))
    with pytest.raises(ValueError, match="unknown model 'UNet'"):
        build("UNet")
    assert all(type(build(name)).__name__ == name for name in MODELS)
