"""Wave-U-Net, Wavenet, DeepConvSep and the vocal CNN: sizes, shapes, and what they can hear."""

import inspect

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unmix_lite.errors import UnmixError
from unmix_lite.models import MODELS, DeepConvSep, VocalCNN, Wavenet, WaveUNet
from unmix_lite.names import NETWORKS

SMALL = {
    "WaveUNet": lambda: WaveUNet(filters=3, levels=4),
    "Wavenet": lambda: Wavenet(channels=4, stacks=1, final=(6, 5)),
    "DeepConvSep": lambda: DeepConvSep(filters=6, bottleneck=8),
    "VocalCNN": lambda: VocalCNN(filters=4, hidden=8, binary=False),
}


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=SMALL)
def network(request):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return SMALL[request.param]().eval()


def size(network):
    return sum(parameter.numel() for parameter in network.parameters())


class TestAsPublished:
    def test_wave_u_net(self):
        network = WaveUNet()
        assert size(network) / 1e6 == pytest.approx(10.26, abs=0.005)
        with torch.inference_mode():
            assert network.paper(torch.zeros(1, 2, 147443)).shape == (1, 4, 2, 16389)

    def test_wavenet(self):
        network = Wavenet()
        assert size(network) / 1e6 == pytest.approx(3.3, abs=0.05)
        # Four stacks of dilations up to 512, three taps: 1023 samples to either side each.
        assert network.context == 4 * 1023 + 3

    def test_deep_conv_sep(self):
        network = DeepConvSep()
        layers = {
            "vertical": 50 * 513 + 50,
            "horizontal": 50 * 50 * 15 + 50,
            "dense": 800 * 128 + 128,
            "decoders": 4 * (128 * 800 + 800),
        }
        for name, count in layers.items():
            assert size(getattr(network, name)) == count
        assert size(network) == sum(layers.values()) + 4

    def test_recipes_know_them(self):
        for name, (rate, losses, _) in NETWORKS.items():
            if name != "OpenUnmix":
                assert MODELS[name].losses == losses
                assert inspect.signature(MODELS[name]).parameters["rate"].default == rate
        assert set(NETWORKS) == set(MODELS)


def test_the_whole_song_is_its_stretches(network):
    """However it is cut, and to its very ends."""
    song = noise(2, 50_011)
    whole = torch.cat(list(network.separate_segments(song, 1e9)), -1)
    assert whole.shape == (len(network.targets), 2, 50_011)
    for seconds in (0.31, 1.0):
        parts = list(network.separate_segments(song, seconds))
        assert len(parts) > 1
        torch.testing.assert_close(torch.cat(parts, -1), whole, atol=2e-6, rtol=0)


def test_what_it_hears_lies_in_its_context(network):
    context = network.context
    mixture = noise(1, network.nb_channels, 2 * context + 4 * network.grid + 1)
    changed = mixture.clone()
    changed[..., 0] += 1  # as far away from the second sample that comes out as context allows
    with torch.inference_mode():
        before, after = network(mixture), network(changed)
    assert before.shape == (1, len(network.targets), network.nb_channels, 4 * network.grid + 1)
    torch.testing.assert_close(before[..., network.grid :], after[..., network.grid :])
    changed[..., context + network.grid] += 1
    with torch.inference_mode():
        assert not torch.equal(network(changed), before)


def test_stems_sum_to_the_song(network):
    song = noise(2, 20_000)
    stems = torch.cat(list(network.separate_segments(song)), -1)
    if network.needs_all_targets:
        torch.testing.assert_close(stems.sum(0), song, atol=1e-6, rtol=0)
    else:
        assert not torch.allclose(stems.sum(0), song, atol=1e-2)


def test_every_channel_counts(network):
    """A mono network does to each channel what it would do to it alone; a stereo one hears both."""
    song = noise(2, 20_000)
    stems = torch.cat(list(network.separate_segments(song)), -1)
    swapped = torch.cat(list(network.separate_segments(song.flip(0))), -1)
    assert torch.allclose(swapped.flip(1), stems, atol=1e-6) == (network.nb_channels == 1)


@pytest.mark.parametrize("shape", [(1, 3, 400_000), (2, 400_000), (1, 1, 200), (1, 2, 200)])
def test_what_it_cannot_take_is_one_line(network, shape):
    with pytest.raises(UnmixError) as error:
        network(torch.zeros(shape))
    assert "\n" not in str(error.value)


def batch(network, seconds=0.8):
    stems = noise(3, len(network.targets), 2, round(seconds * network.rate), seed=3)
    stems *= torch.tensor([1.0, 0.3, 2.0])[:, None, None, None]
    mixture = stems.sum(1)
    if not network.needs_all_targets:
        mixture = mixture + noise(*mixture.shape, seed=4)
    return mixture, stems


def test_it_learns_and_every_weight_takes_part(network):
    mixture, stems = batch(network)
    for loss in network.losses:
        optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
        told = []
        for _ in range(8):
            optimizer.zero_grad()
            values = network.training_losses(mixture, stems, loss)
            assert values.shape == (len(network.targets),)
            values.mean().backward()
            told.append(values.mean().item())
            optimizer.step()
        assert told[-1] < told[0]
        for name, parameter in network.named_parameters():
            assert parameter.grad.abs().max() > 0, name


class TestWaveformLosses:
    def of(self, estimates, stems, loss):
        """The losses of a network that says `estimates`, whatever it hears."""

        class Parrot(WaveUNet):
            def forward(self, mixture):
                return estimates

        return Parrot(filters=1, levels=1).training_losses(stems.sum(1), stems, loss)

    def test_by_hand(self):
        stems = noise(2, 4, 2, 500)
        off = stems + 0.1
        assert self.of(off, stems, "mse").tolist() == pytest.approx([0.01] * 4, rel=1e-4)
        assert self.of(off, stems, "l1").tolist() == pytest.approx([0.1] * 4, rel=1e-4)

    def test_sdr(self):
        stems = noise(2, 4, 2, 500)
        expected = [20 * torch.log10(torch.tensor(0.1)).item()] * 4
        # Lifted by a thousandth of the mixture, some 6 dB above each stem.
        assert self.of(1.1 * stems, stems, "sdr").tolist() == pytest.approx(expected, abs=2)
        assert self.of(0 * stems, stems, "sdr").tolist() == pytest.approx([0] * 4, abs=1e-5)
        silent = torch.cat([0 * stems[:, :1], stems[:, 1:]], 1)
        assert self.of(silent, silent, "sdr").isfinite().all()


def test_upsampling_makes_up_nothing():
    """A ramp stays a ramp: new samples lie halfway between their neighbours."""
    ramp = torch.arange(9.0)[None, None]
    twice = F.interpolate(ramp, size=17, mode="linear", align_corners=True)
    torch.testing.assert_close(twice[0, 0], torch.arange(17) / 2)


def test_the_wavenet_is_the_padded_one_in_the_middle():
    """As the authors' code computes it: every convolution pads, and the middle is used."""
    torch.manual_seed(0)
    network = Wavenet(channels=4, stacks=2, final=(6, 5)).eval()
    mixture = noise(1, 1, 2 * network.context + 100)
    with torch.inference_mode():
        x, skips = F.conv1d(mixture, network.first.weight, padding=1), 0
        for index, (gated, mixed) in enumerate(zip(network.gated, network.mixed)):
            dilation = 2 ** (index % 10)
            y = F.conv1d(x, gated.weight, padding=dilation, dilation=dilation)
            residual, skip = mixed(torch.tanh(y[:, :4]) * torch.sigmoid(y[:, 4:])).split(4, 1)
            x, skips = x + residual, skips + skip
        for layer in network.last:
            skips = F.conv1d(skips.relu(), layer.weight, padding=1)
        expected = network.out(skips)[..., network.context : -network.context]
        torch.testing.assert_close(network(mixture)[:, :3, 0], expected, atol=1e-5, rtol=1e-4)


class TestDeepConvSep:
    def test_masks_are_shares(self):
        network = SMALL["DeepConvSep"]()
        masks = network.masks(noise(2, 513, 30).abs())
        assert masks.shape == (2, 4, 513, 30) and masks.min() >= 0
        torch.testing.assert_close(masks.sum(1), torch.ones(2, 513, 30))

    def test_dissimilarity_pays_for_being_unlike_the_others(self):
        network = SMALL["DeepConvSep"]()
        mixture, stems = batch(network)
        plain = network.training_losses(mixture, stems, "mse")
        paid = network.training_losses(mixture, stems, "dissimilarity")
        assert (paid[:3] < plain[:3]).all() and paid[3] == plain[3]
        weights = network._unlike(torch.zeros(4, 4))
        assert weights[0].tolist() == pytest.approx([1, -0.001, -0.001, -0.03])
        assert weights[1].tolist() == pytest.approx([-0.001, 1, -0.001, -0.01])

    def test_each_frame_is_the_mean_of_the_windows_it_is_in(self):
        network = SMALL["DeepConvSep"]()
        windows = torch.rand(1, 4, 4, 3, 30)
        total = network._overlapped(windows, 45)
        assert total.shape == (1, 4, 3, 45)
        # Windows begin at 0, 5, 10 and 15: frame 12 is the 12th, 7th and 2nd of the first three.
        expected = windows[0, 0, :, :, 12] + windows[0, 1, :, :, 7] + windows[0, 2, :, :, 2]
        torch.testing.assert_close(total[0, ..., 12], expected)

    def test_filters_are_shared(self):
        """The decoders put together with what the encoder took apart."""
        network = SMALL["DeepConvSep"]()
        names = {name.split(".")[0] for name, _ in network.named_parameters()}
        assert names == {"vertical", "horizontal", "dense", "decoders", "bias"}


class TestVocalCNN:
    def test_sliding_is_every_window_by_itself(self):
        """Against plain layers with plain poolings, window by window."""
        torch.manual_seed(0)
        network = VocalCNN(filters=4, hidden=8).eval()
        network.norm.running_mean.normal_()
        network.norm.running_var.uniform_(0.5, 2)
        c1, c2, c3, c4 = network.convolutions
        pool = nn.MaxPool2d(3)
        leak = nn.LeakyReLU(0.3)
        plain = nn.Sequential(
            c1, leak, c2, leak, pool, c3, leak, c4, leak, pool, nn.Flatten(), network.dense, leak,
            network.out,
        )  # fmt: skip
        magnitude = noise(1, 513, 40).abs()
        with torch.inference_mode():
            scaled = network.norm(torch.log(magnitude + 1e-3))
            windows = [plain(scaled[:, None, :, i : i + 25]) for i in range(16)]
            expected = torch.stack(windows, -1)
            torch.testing.assert_close(network.scores(magnitude), expected, atol=1e-5, rtol=1e-4)

    def test_masks(self):
        magnitude = noise(1, 513, 60).abs()
        binary, soft = (small_cnn(binary).eval().mask(magnitude) for binary in (True, False))
        assert set(binary.unique().tolist()) == {0.0, 1.0}
        assert binary.shape == (1, 513, 36)
        assert torch.equal(binary, (soft > 0.5).float())

    def test_the_loss_is_lowest_for_the_ideal_mask(self):
        network = VocalCNN(filters=4, hidden=8).eval()
        mixture, stems = batch(network)
        target, rest = (network.stft(x[:, 0]).abs() for x in (stems[:, 0], mixture - stems[:, 0]))
        ideal = (target > rest).float()[..., 12:-12]
        losses = []
        for odds in (20 * ideal - 10, 0 * ideal, 10 - 20 * ideal):
            network.scores = lambda magnitude, odds=odds: odds
            losses.append(network.training_losses(mixture, stems, "bce").item())
        assert losses[0] == pytest.approx(0, abs=1e-3)
        assert losses[1] == pytest.approx(0.6931, abs=1e-3)
        assert losses[2] == pytest.approx(10, abs=1e-2)

    def test_a_weighted_loss_hears_what_sounds(self):
        """Where one bin is all that sounds, the answer there is all that counts."""
        network = VocalCNN(filters=4, hidden=8).eval()
        time = torch.arange(20_000) / network.rate
        tone = 0.5 * torch.sin(2 * torch.pi * 50 * network.rate / 1024 * time)[None, None]
        hum = 1e-4 * noise(1, 1, 20_000)
        right = torch.full((1, 513, 55), -10.0)
        right[:, 48:53] = 10.0  # the bin of the tone, and those its window leaks into
        network.scores = lambda magnitude: right[..., : magnitude.shape[-1] - 24]
        plain, weighted = (
            network.training_losses(tone + hum, tone[:, None], loss).item()
            for loss in ("bce", "weighted")
        )
        network.scores = lambda magnitude: -right[..., : magnitude.shape[-1] - 24]
        wrong = network.training_losses(tone + hum, tone[:, None], "weighted").item()
        assert weighted < 0.1 < plain and wrong > 9

    def test_one_stem(self):
        with pytest.raises(ValueError, match="one stem"):
            VocalCNN(targets=("vocals", "drums"))


def small_cnn(binary):
    torch.manual_seed(0)
    return VocalCNN(filters=4, hidden=8, binary=binary)
