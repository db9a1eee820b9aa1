"""Players: the sound inside the page is the sound that was given, small and at the right level."""

import base64
import html.parser
import io
import math

import pytest
import soundfile
import torch

from unmix_lite import load_audio
from unmix_lite.errors import AudioError
from unmix_lite.listening import player, players
from unmix_lite.signal import STFT


class Reader(html.parser.HTMLParser):
    """Collects the tags, the captions, and the sounds of players' HTML."""

    def __init__(self, shown):
        super().__init__()
        self.tags, self.captions, self.audios, self._in_caption = [], [], [], False
        self.feed(shown._repr_html_())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in_caption = tag == "figcaption"
        if tag == "figcaption":
            self.captions.append("")
        if tag == "audio":
            self.audios.append(dict(attrs))

    def handle_endtag(self, tag):
        self._in_caption = False

    def handle_data(self, data):
        if self._in_caption:
            self.captions[-1] += data

    def sound(self, index=0):
        kind, _, content = self.audios[index]["src"].partition(",")
        assert kind == "data:audio/mpeg;base64"
        samples, rate = soundfile.read(
            io.BytesIO(base64.b64decode(content)), dtype="float32", always_2d=True
        )
        return torch.from_numpy(samples.T.copy()), rate


def snr(reference, estimate):
    return float(10 * torch.log10(reference.square().sum() / (reference - estimate).square().sum()))


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 32000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_sound_is_inside(tone, rate, channels):
    chord = tone(300.0, 1.0, rate, channels) + 0.3 * tone(1234.0, 1.0, rate, channels)
    sound, own_rate = Reader(player(chord, rate, "chord")).sound()
    assert own_rate == rate and sound.shape == chord.shape
    assert snr(chord, sound) > 20


@pytest.mark.parametrize("rate", [9000, 37800, 96000])
def test_rates_that_mp3_does_not_know(tone, rate):
    sound, own_rate = Reader(player(tone(500.0, 1.0, rate), rate, "tone")).sound()
    assert own_rate == 44100 and sound.shape == (2, 44100)
    assert snr(tone(500.0)[:, 3000:-3000], sound[:, 3000:-3000]) > 20


def test_real_music_is_small_and_sounds_alike(musdb7):
    stft = STFT()
    for path in sorted((musdb7 / "train").glob("*.stem.mp4"))[::45]:
        mixture, rate = load_audio(path)
        reader = Reader(player(mixture[:, : 7 * rate], rate, path.name))
        assert len(base64.b64decode(reader.audios[0]["src"].partition(",")[2])) < 120_000
        sound, _ = reader.sound()
        # Level by octave: what MP3 leaves out must not be heard as a change of colour.
        power = [stft(x).abs().square().mean(dim=(0, 2)) for x in (mixture, sound)]
        for low in (8, 16, 32, 64, 128, 256, 512):
            before, after = (float(p[low : 2 * low].sum()) for p in power)
            assert abs(10 * math.log10(before / after)) < 1


def test_noise_stays_small():
    noise = 0.2 * torch.randn(2, 7 * 44100, generator=torch.Generator().manual_seed(0))
    assert len(Reader(player(noise, 44100, "noise")).audios[0]["src"]) < 120_000 * 4 / 3


def test_a_song_of_minutes():
    song = 0.1 * torch.randn(1, 8000 * 180, generator=torch.Generator().manual_seed(0))
    assert Reader(player(song, 8000, "song")).sound()[0].shape == song.shape


def test_labels_and_accessibility(tone):
    label = "<b>drums & \"bass\"</b> 'live'"
    reader = Reader(players({label: tone(), "vocals": tone(880.0)}, 44100))
    assert reader.captions == [label, "vocals"]
    assert [tag for tag, _ in reader.tags] == [
        "div", *["figure", "figcaption", "audio"] * 2, "script",
    ]  # fmt: skip
    assert reader.tags[0][1]["class"] == "players"
    for audio, caption in zip(reader.audios, reader.captions):
        assert "controls" in audio and audio["preload"] == "none"
        assert audio["aria-label"] == caption
    shown, _, _ = players({label: tone()}, 44100)._repr_html_().partition("<script")
    assert "color:" not in shown and "<b>" not in shown  # the page's own colours, dark ones too


def test_loud_sounds_share_one_gain(tone):
    loud, quiet = tone(level=4.0), tone(level=0.5)
    reader = Reader(players({"loud": loud, "quiet": quiet}, 44100))
    assert reader.captions == ["loud (lowered by 13.0 dB)", "quiet (lowered by 13.0 dB)"]
    sounds = [reader.sound(i)[0] for i in (0, 1)]
    assert float(sounds[0].abs().max()) < 1  # nothing for the browser to clip
    ratio = sounds[0].square().mean() / sounds[1].square().mean()
    assert 10 * math.log10(float(ratio)) == pytest.approx(20 * math.log10(8), abs=0.2)


def test_sounds_within_full_scale_keep_their_level(tone):
    reader = Reader(players({"a": tone(level=0.9), "b": tone(level=0.1)}, 44100))
    assert reader.captions == ["a", "b"]
    for index, level in enumerate((0.9, 0.1)):
        assert snr(tone(level=level), reader.sound(index)[0]) > 20


def test_arrays_and_one_dimension(tone):
    expected = tone(channels=1)
    sound, _ = Reader(player(expected[0].numpy(), 44100)).sound()
    assert sound.shape == expected.shape and snr(expected, sound) > 20


def test_a_notebook_shows_html_and_a_short_text(tone):
    from IPython.core.formatters import DisplayFormatter

    shown = players({"drums": tone(), "bass": tone()}, 44100)
    data, _ = DisplayFormatter().format(shown)
    assert data["text/html"] == shown._repr_html_()
    assert data["text/plain"] == "Players(drums, bass)"


@pytest.mark.parametrize(
    "sounds, words",
    [
        ({}, "no sound"),
        ({"six": torch.zeros(6, 100)}, "six: has 6 channels"),
        ({"nothing": torch.zeros(2, 0)}, "nothing: holds no samples"),
        ({"broken": torch.full((2, 10), math.nan)}, "broken: 20 samples"),
    ],
)
def test_what_cannot_be_played(sounds, words):
    with pytest.raises(AudioError) as caught:
        players(sounds, 44100)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_silence_and_a_blink(tone):
    for sound in (torch.zeros(2, 4410), tone()[:, :10]):
        assert Reader(player(sound, 44100, "short")).sound()[0].shape == sound.shape
