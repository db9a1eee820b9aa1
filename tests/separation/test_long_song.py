"""Songs in blocks: the same as in one piece, whatever the blocks, the chunks and the memory."""

import itertools

import pytest
import soundfile
import torch
from untrained import four, noise, small

from unmix_lite import STFT, load_audio
from unmix_lite.audio import resample, resample_blocks, save_stems
from unmix_lite.errors import AudioError
from unmix_lite.models import Folded, OpenUnmix, Sequence, concatenate, folded, run_lstms
from unmix_lite.names import TARGETS
from unmix_lite.separation import Separator, WienerFilter, estimate_magnitudes
from unmix_lite.signal import OverlapAdd

CPU = torch.device("cpu")


def relative(one, other):
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize(("n_fft", "hop"), [(4096, 1024), (512, 128), (512, 256), (400, 150)])
@pytest.mark.parametrize("samples", [1, 200, 256, 257, 4096, 30_001])
@pytest.mark.parametrize("size", [1, 7])
def test_blocks_of_the_stft_and_of_its_inverse_are_those_of_the_whole(n_fft, hop, samples, size):
    if samples / hop / size > 60:
        size = 13  # as well, and sooner
    stft, audio = STFT(n_fft, hop), noise(2, samples)
    spec, overlap_add = stft(audio), OverlapAdd(stft, samples)
    assert spec.shape[-1] == stft.frames(samples)
    pieces = []
    for start in range(0, spec.shape[-1], size):
        stop = min(start + size, spec.shape[-1])
        assert (stft.block(audio, start, stop) - spec[..., start:stop]).abs().max() < 1e-4
        pieces.append(overlap_add(spec[..., start:stop]))
    assert torch.cat(pieces, -1).shape == audio.shape
    assert (torch.cat(pieces, -1) - audio).abs().max() < 1e-5


@pytest.mark.parametrize("unidirectional", [False, True])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("chunk", [11, 5000])
def test_three_stages_are_the_network(monkeypatch, unidirectional, channels, on_disk, chunk):
    monkeypatch.setattr(folded, "_CHUNK", chunk)
    network = small(0, channels, unidirectional=unidirectional)
    with torch.no_grad():  # nothing may be folded into the wrong matrix unnoticed
        for parameter in (network.input_mean, network.input_scale, network.output_scale):
            parameter.copy_(torch.rand(len(parameter)) + 0.5)
        for norm in (network.bn1, network.bn2, network.bn3):
            norm.weight.uniform_(0.5, 2), norm.bias.normal_()
    mixture = noise(channels, 40_000).unfold(-1, 2049, 700).abs().transpose(1, 2)
    frames, threads = mixture.shape[-1], torch.get_num_threads()
    stages, sequence = Folded(network), Sequence(mixture.shape[-1], 32, CPU, on_disk)
    for start in range(0, frames, 9):
        now = slice(start, min(start + 9, frames))
        sequence[now] = stages.encode(mixture[..., now])
    ((*after,),) = run_lstms([stages], [sequence])
    now = slice(3, frames - 2)
    mask = stages.decode(sequence[now], concatenate(after, now))
    with torch.inference_mode():
        assert relative(mask, network.mask(mixture[None])[0][..., now]) < 1e-5
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("options", "residual"),
    [
        ({}, False),
        ({}, True),
        ({"iterations": 0}, False),
        ({"softmask": True}, False),
        ({"iterations": 3, "posterior": True}, False),
        ({"iterations": 3, "posterior": True, "neighbours": 40}, False),
    ],
)
@pytest.mark.parametrize("in_memory", [0, 1 << 30])
def test_a_song_in_blocks_is_the_song_in_one_piece(monkeypatch, options, residual, in_memory):
    monkeypatch.setattr("unmix_lite.separation.long_song._IN_MEMORY", in_memory)
    monkeypatch.setattr("unmix_lite.separation.long_song._BLOCK", 17)
    monkeypatch.setattr(folded, "_CHUNK", 23)
    filter = WienerFilter(window=10, **options)
    separator = Separator(four(), filter, residual, complete=False)
    audio = noise(2, 70_000)
    whole = separator.spectra(separator.stft(audio))
    stems = separator(audio)
    assert list(stems) == list(whole) == separator.targets
    for target, stem in stems.items():
        assert relative(stem, separator.stft.inverse(whole[target], 70_000)) < 1e-5


def test_a_network_of_another_kind_is_asked_for_the_whole_song():
    class Half(torch.nn.Module):
        nb_channels = 2

        def forward(self, mixture):
            return 0.5 * mixture

    audio = noise(2, 50_000)
    stems = Separator({"a": Half(), "b": Half()}, WienerFilter(0))(audio)
    assert relative(stems["a"], 0.5 * audio) < 1e-5 and torch.equal(stems["a"], stems["b"])


def test_progress_runs_from_nothing_to_all():
    stft, told = STFT(512, 128), []
    networks = [OpenUnmix(8, nb_bins=257, max_bin=200).eval() for _ in range(2)]
    with torch.inference_mode():
        estimate_magnitudes(networks, stft, noise(2, 100_000), told.append)
    assert min(told) > 0 and sum(told) == pytest.approx(1) and len(told) > 5


@pytest.mark.parametrize(("rate", "wanted"), [(44100, 48000), (48000, 44100), (8000, 44100)])
def test_resampling_in_blocks_is_resampling(rate, wanted):
    audio = noise(4, 30_000).unflatten(0, (2, 2))
    expected = resample(audio.flatten(0, 1), rate, wanted).unflatten(0, (2, 2))
    blocks = list(resample_blocks(iter(audio.split(4444, -1)), rate, wanted, expected.shape[-1]))
    assert torch.cat(blocks, -1).shape == expected.shape
    assert relative(torch.cat(blocks, -1), expected) < 1e-5


@pytest.mark.parametrize("options", [{"complete": False}, {"complete": True}])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_blocks_in_order_are_the_stems(options, rate):
    separator = Separator(four(), WienerFilter(window=10), **options)
    audio = noise(1, 70_000)
    stems, blocks = separator(audio, rate), list(separator.blocks(audio, rate))
    assert len(blocks) > 3
    for target in TARGETS:
        joined = torch.cat([block[target] for block in blocks], -1)
        assert torch.equal(joined, stems[target]) and joined.shape == audio.shape


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("level", [0.5, 1.5])
def test_stems_written_in_blocks(tmp_path, kind, level):
    tone = level * torch.sin(0.05 * torch.arange(200_000)).repeat(2, 1)
    audio = {"a": 0.5 * tone, "b": tone}
    files = {name: tmp_path / "out" / f"{name}.{kind}" for name in audio}
    parts = [slice(start, start + 70_000) for start in range(0, 200_000, 70_000)]
    blocks = ({name: whole[:, part] for name, whole in audio.items()} for part in parts)
    lowered = save_stems(files, blocks, 2, 44100)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"a.{kind}", f"b.{kind}"}
    gain = 1 / 1.5 if level > 1 and kind != "wav" else 1.0
    assert lowered == pytest.approx(-20 * torch.log10(torch.tensor(gain)).item(), abs=1e-3)
    for name, path in files.items():
        written, rate = load_audio(path)
        assert written.shape == audio[name].shape and rate == 44100
        assert relative(written, gain * audio[name]) < (0.1 if kind == "ogg" else 1e-5)
    if kind == "wav":
        kinds = {name: soundfile.info(path).subtype for name, path in files.items()}
        assert kinds == {"a": "PCM_24", "b": "PCM_24" if level < 1 else "FLOAT"}


def test_stems_are_written_all_or_none(tmp_path):
    def broken():
        yield {"a": noise(2, 1000), "b": noise(2, 1000)}
        raise KeyboardInterrupt

    files = {name: tmp_path / f"{name}.wav" for name in "ab"}
    with pytest.raises(KeyboardInterrupt):
        save_stems(files, broken(), 2, 44100)
    assert not list(tmp_path.iterdir())
    (tmp_path / "b.wav").mkdir()  # cannot be replaced by a file
    with pytest.raises(AudioError, match="cannot be written"):
        save_stems(files, itertools.islice(broken(), 1), 2, 44100)
    assert [path.name for path in tmp_path.iterdir()] == ["b.wav"]


def test_a_format_that_cannot_be_is_refused_before_anything_is_separated(tmp_path):
    untouched = (pytest.fail("asked for a block") for _ in range(1))
    with pytest.raises(AudioError, match="MP3 knows no 96000 Hz"):
        save_stems({"a": tmp_path / "a.mp3"}, untouched, 2, 96000)
    assert not list(tmp_path.iterdir())
