"""What is drawn from the songs, and which songs are refused before anything is decoded."""

import numpy as np
import pytest
import soundfile
import torch
from tiny_training import fit, kept, recipe, write_corpus, write_song

from unmix_lite import load_audio, save_audio
from unmix_lite.audio import resample
from unmix_lite.corpora import Corpus, Track, other_rates
from unmix_lite.errors import CorpusError
from unmix_lite.names import TARGETS
from unmix_lite.training import Excerpts, ResidentExcerpts, read_ahead, to_float, train

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def excerpts(tones):
    """Excerpts of 0.5 s of the four training songs."""
    return Excerpts(tones.tracks("train"), TARGETS, 0.5, 8000, progress=False)


def of(folder, targets=TARGETS, seconds=0.5, rate=8000):
    """Excerpts of the one song in a folder."""
    return Excerpts([Track("song", folder, "train")], targets, seconds, rate, progress=False)


def test_excerpts_are_cuts_of_the_stems(tones):
    track = tones.tracks("train")[0]
    excerpts = Excerpts([track], TARGETS, 0.25, 8000, progress=False)
    batch = excerpts.batch(np.random.default_rng(0), 3, remix=False)
    assert batch.shape == (3, 4, 2, 2000) and batch.dtype == torch.float32
    stem = load_audio(track.path / "drums.wav")[0][0]
    offsets = [
        int(((stem.unfold(0, 2000, 1) - row[1, 0]).abs().amax(-1)).argmin()) for row in batch
    ]
    assert len(set(offsets)) == 3
    for row, start in zip(batch, offsets):
        assert (stem[start : start + 2000] - row[1, 0]).abs().max() < 1e-4


def test_places_run_from_the_first_sample_to_the_last(excerpts):
    song = excerpts.whole(2)
    places = np.array([[0.0] * 4, [np.nextafter(1.0, 0.0)] * 4])
    stems = to_float(excerpts.cut(np.full((2, 4), 2), places))
    assert torch.equal(stems[0], song[..., :4000])
    assert torch.equal(stems[1], song[..., -4000:])


def test_floats_read_at_once_are_the_integers_to_full_scale(excerpts):
    drawn = excerpts.draw(np.random.default_rng(0), 3, ("remix",))
    stems = excerpts.cut(*drawn)
    assert stems.dtype == torch.int16
    assert torch.equal(excerpts.cut(*drawn, as_float=True), to_float(stems))


@pytest.mark.parametrize("seconds", [0.5, 3.0], ids=["within the songs", "longer than they are"])
@pytest.mark.parametrize("as_float", [False, True])
def test_songs_in_a_device_s_memory_give_the_same_excerpts(tones, seconds, as_float):
    arguments = tones.tracks("train"), TARGETS, seconds, 8000
    disk = Excerpts(*arguments, progress=False)
    resident = ResidentExcerpts(*arguments, progress=False, device=torch.device("cpu"))
    drawn = disk.draw(np.random.default_rng(3), 4, ("remix",))
    expected, found = (e.cut(*drawn, as_float=as_float) for e in (disk, resident))
    assert found.dtype == expected.dtype and torch.allclose(found.float(), expected.float())
    again = resident.cut(*drawn, as_float=as_float, out=torch.full_like(found, 9))
    assert torch.equal(again, found)


def test_memory_used_again_holds_nothing_of_what_was_there(tones):
    excerpts = Excerpts(tones.tracks("train"), TARGETS, 2.0, 8000, progress=False)
    drawn = excerpts.draw(np.random.default_rng(0), 3)
    for as_float in (True, False):
        expected = excerpts.cut(*drawn, as_float)
        used = torch.full_like(expected, 77)
        assert excerpts.cut(*drawn, as_float, out=used) is used
        assert torch.equal(used, expected) and expected[..., -1].abs().max() == 0


def test_batches_read_ahead_are_those_asked_for_one_by_one_in_two_pieces_of_memory(excerpts):
    def read(step, out=None):
        rng = np.random.default_rng([3, step])
        return excerpts.cut(*excerpts.draw(rng, 2), out=out), rng

    ahead, places = read_ahead(read, 4), set()
    for step in range(4, 10):
        stems, rng = next(ahead)
        expected, same = read(step)
        assert torch.equal(stems, expected) and rng.random() == same.random()
        places.add(stems.data_ptr())
    ahead.close()
    assert len(places) == 2


def test_what_fails_while_reading_ahead_is_raised_where_the_batch_is_asked_for():
    def read(step, out):
        return (step,) if step < 2 else (_ for _ in ()).throw(OSError("the disk is gone"))

    ahead = read_ahead(read)
    assert [next(ahead), next(ahead)] == [(0,), (1,)]
    with pytest.raises(OSError, match="the disk is gone"):
        next(ahead)


def test_every_song_is_drawn(excerpts):
    songs, places = excerpts.draw(np.random.default_rng(0), 100)
    assert set(songs.flat) == {0, 1, 2, 3}
    assert 0 <= places.min() < 0.05 and 0.95 < places.max() < 1


@pytest.mark.parametrize(
    ("augmentations", "song_kinds", "place_kinds"),
    [
        ((), {"one"}, {"one"}),
        (("remix",), {"several"}, {"several"}),
        (("shuffle",), {"one"}, {"several"}),
        (("remix", "shuffle"), {"one", "several"}, {"several"}),
    ],
)
def test_remix_takes_several_songs_and_shuffle_several_places(
    excerpts, augmentations, song_kinds, place_kinds
):
    songs, places = excerpts.draw(np.random.default_rng(0), 100, augmentations)

    def kinds(rows):
        return {"one" if len(set(row)) == 1 else "several" for row in rows}

    # Four songs drawn at random are one and the same once in 64 times: that is no fault.
    often = [row for row in songs if len(set(row)) > 1] if song_kinds == {"several"} else songs
    assert len(often) > 90
    assert kinds(often) == song_kinds and kinds(places) == place_kinds


def test_remix_with_shuffle_is_each_half_of_the_time(excerpts):
    songs, _ = excerpts.draw(np.random.default_rng(0), 400, ("remix", "shuffle"))
    assert 150 < sum(len(set(row)) > 1 for row in songs) < 250


def test_without_remix_all_sources_sound_like_one_song_and_with_it_they_do_not(excerpts):
    def songs(remix):
        """Which song each source came from, read off its pitch: 2 Hz per bin at 0.5 s."""
        batch = excerpts.batch(np.random.default_rng(1), 16, remix)
        pitch = 2 * torch.fft.rfft(batch[:, :, 0]).abs().argmax(-1)
        return (pitch - 200 - 100 * torch.arange(4)) // 20

    together, apart = songs(remix=False), songs(remix=True)
    assert all(len(set(row.tolist())) == 1 for row in together)
    assert any(len(set(row.tolist())) > 1 for row in apart)


def test_the_same_generator_draws_the_same_batch(excerpts):
    draw = [excerpts.batch(np.random.default_rng([7, step]), 4) for step in (1, 1, 2)]
    assert torch.equal(draw[0], draw[1]) and not torch.equal(draw[0], draw[2])


def test_a_whole_song_is_its_stems_in_the_order_asked_for(tones):
    track = tones.tracks("train")[1]
    order = ("bass", "vocals")
    whole = Excerpts([track], order, 0.5, 8000, progress=False).whole(0)
    stems = track.stems(order)
    assert whole.dtype == torch.float32
    assert (whole - torch.stack([stems[name] for name in order])).abs().max() < 1 / 32767


def test_a_song_is_decoded_once_and_again_when_it_changed(tmp_path, monkeypatch):
    folder = write_song(tmp_path / "song", TARGETS)
    of(folder)
    monkeypatch.setattr(Track, "stems", lambda *_: pytest.fail("decoded again"))
    of(folder)
    (folder / "bass.wav").touch()
    with pytest.raises(pytest.fail.Exception, match="decoded again"):
        of(folder)


def test_a_song_shorter_than_the_excerpt_ends_in_silence(tones):
    excerpts = Excerpts(tones.tracks("train")[:1], TARGETS, 2.0, 8000, progress=False)
    batch = excerpts.batch(np.random.default_rng(0), 1)
    assert batch[..., :8000].abs().max() > 0.1 and batch[..., 8000:].abs().max() == 0


def test_mono_stems_become_two_equal_channels(tmp_path):
    mono = torch.rand(1, 8000, generator=torch.Generator().manual_seed(0)) - 0.5
    for target in TARGETS:
        save_audio(tmp_path / "song" / f"{target}.wav", mono, 8000)
    whole = of(tmp_path / "song").whole(0)
    assert whole.shape == (4, 2, 8000)
    assert (whole - mono).abs().max() < 1 / 32767


def test_songs_at_other_rates_are_told_before_they_are_resampled(tmp_path, capsys):
    for song, rate in enumerate((8000, 16000, 8000, 12000, 16000)):
        write_song(tmp_path / "train" / f"Song {song}", TARGETS, rate=rate)
    tracks = Corpus("mixed", tmp_path, "a test").tracks("train")
    assert other_rates(tracks, 8000) == (
        "2 of 4 songs are at 12000 or 16000 Hz; resampled to 8000 Hz: Song 1, Song 3."
    )
    assert other_rates(tracks, 11025).endswith(": Song 0, Song 1, Song 2 and 1 more.")
    assert other_rates(tracks[:1], 8000) == ""
    train(recipe(steps=1), tracks, tracks, tmp_path / "run", "cpu")
    assert "4 of 8 songs are at 12000 or 16000 Hz" in capsys.readouterr().out


def test_songs_at_another_rate_are_resampled(tmp_path):
    folder = write_song(tmp_path / "song", TARGETS, rate=16000)
    whole = of(folder, rate=8000).whole(0)
    expected = resample(load_audio(folder / "vocals.wav")[0], 16000, 8000)
    assert whole.shape == (4, 2, 8000)
    assert (whole[0] - expected).abs().max() < 1 / 32767


def test_a_mono_stem_beside_stereo_ones_becomes_two_equal_channels(tmp_path):
    write_song(tmp_path / "song", TARGETS)
    mono = torch.rand(1, 8000, generator=torch.Generator().manual_seed(0)) - 0.5
    save_audio(tmp_path / "song" / "bass.wav", mono, 8000)
    track = Track("song", tmp_path / "song", "train")
    stems, whole = track.stems(), of(tmp_path / "song", TARGETS).whole(0)
    assert not track.problem(TARGETS)
    assert torch.equal(stems["bass"], stems["bass"][:1].expand(2, -1))
    torch.testing.assert_close(whole[TARGETS.index("bass")], mono.expand(2, -1), atol=1e-4, rtol=0)
    torch.testing.assert_close(track.mixture(), sum(stems.values()))
    assert not torch.equal(stems["vocals"][0], stems["vocals"][1])


def test_a_stem_above_full_scale_is_scaled_down_with_its_song_not_clipped(tmp_path):
    wave = torch.sin(torch.arange(8000) / 10).expand(2, -1)
    save_audio(tmp_path / "song" / "vocals.wav", 2.0 * wave, 8000)
    save_audio(tmp_path / "song" / "drums.wav", 0.5 * wave, 8000)
    vocals, drums = of(tmp_path / "song", ("vocals", "drums")).whole(0)
    assert (vocals - wave).abs().max() < 1e-3 and (drums - 0.25 * wave).abs().max() < 1e-3


def test_other_stems_train_by_their_names(tmp_path):
    corpus = write_corpus(tmp_path / "songs", ("piano", "guitar", "mixture"))
    fit(corpus, tmp_path / "out", targets=("guitar",), sources=("piano", "guitar"), steps=2)
    tensors, card = kept(tmp_path / "out", "guitar")
    assert card["target"] == "guitar" and all(t.isfinite().all() for t in tensors.values())


BAD = {
    "one stem": "has no bass (there: vocals, drums, other)",
    "lengths": "has stems that differ: vocals 1.00 s",
    "rates": "bass 1.00 s at 16000 Hz",
    "channels": "has 3 channels (bass); mono or stereo is needed",
    "unreadable": "cannot be read",
    "empty": "there: nothing",
}


def spoil(kind, folder):
    """A song that cannot be trained on, each in its own way."""
    write_song(folder, TARGETS)
    bass = folder / "bass.wav"
    if kind == "one stem":
        bass.unlink()
    elif kind == "lengths":
        save_audio(bass, torch.zeros(2, 5000), 8000)
    elif kind == "rates":
        save_audio(bass, torch.zeros(2, 16000), 16000)
    elif kind == "channels":
        soundfile.write(bass, np.zeros((800, 3)), 8000)
    elif kind == "unreadable":
        bass.write_text("not a sound")
    elif kind == "empty":
        for file in folder.iterdir():
            file.unlink()


def test_all_songs_that_cannot_be_used_are_named_before_anything_is_decoded(tmp_path, cache):
    tracks = [Track("good", write_song(tmp_path / "good", TARGETS), "train")]
    for kind in BAD:
        spoil(kind, tmp_path / kind)
        tracks.append(Track(kind, tmp_path / kind, "train"))
    with pytest.raises(CorpusError) as error:
        Excerpts(tracks, TARGETS, 0.5, 8000, progress=False)
    first, *lines = str(error.value).splitlines()
    assert first.startswith("6 of 7 songs") and len(lines) == 6
    for (kind, words), line in zip(BAD.items(), lines):
        assert str(tmp_path / kind) in line and words in line
    assert not cache.exists()


@pytest.mark.parametrize("kind", BAD)
def test_a_single_song_that_cannot_be_used_is_one_line(tmp_path, kind):
    spoil(kind, tmp_path / "song")
    with pytest.raises(CorpusError) as error:
        of(tmp_path / "song")
    assert "\n" not in str(error.value) and str(tmp_path / "song") in str(error.value)


def test_bad_songs_of_both_splits_are_told_together(tmp_path, cache):
    corpus = write_corpus(tmp_path / "songs")
    for song in (1, 4):  # the last of five is for validation
        (tmp_path / "songs" / "train" / f"Song {song}" / "drums.wav").unlink()
    with pytest.raises(CorpusError) as error:
        fit(corpus, tmp_path / "out")
    assert "Song 1" in str(error.value) and "Song 4" in str(error.value)
    assert not cache.exists()


def test_no_songs_are_one_line():
    with pytest.raises(CorpusError, match="no songs"):
        Excerpts([], TARGETS)
