"""What makes little music last: the reference's three augmentations, on whole batches.

Each takes stems `(batch, sources, channels, samples)` and a NumPy generator and changes the stems
in place or returns new ones; the mixture is summed afterwards, so it is always the sum.
"""

import torch


def random_gain(stems, rng, low=0.25, high=1.25):
    """Each source of each excerpt at its own level, uniform in `low..high` (Uhlich et al. 2017)."""
    gains = rng.uniform(low, high, stems.shape[:2])
    return stems * torch.as_tensor(gains, dtype=stems.dtype, device=stems.device)[..., None, None]


def random_channel_swap(stems, rng, probability=0.5):
    """Left and right exchanged, for each source on its own (Uhlich et al. 2017)."""
    swap = torch.as_tensor(rng.random(stems.shape[:2]) < probability, device=stems.device)
    return torch.where(swap[..., None, None], stems.flip(2), stems)


AUGMENTATIONS = {"gain": random_gain, "channelswap": random_channel_swap}
"""By name, as `TrainingConfig.augmentations` lists them. The third, drawing each source from
another song ("remix"), is a matter of reading and lives in `Excerpts.batch`."""
