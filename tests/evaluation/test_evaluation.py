"""BSS Eval against museval, score files and tables, and resumable evaluation."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unmix_lite.audio import save_audio
from unmix_lite.corpora import Corpus
from unmix_lite.errors import AudioError, CorpusError, UnmixError
from unmix_lite.evaluation import (
    METRICS,
    OracleEstimates,
    ScoredFrames,
    SongsFailed,
    StoredEstimates,
    TrackScores,
    aggregate,
    bss_eval,
    confidence_interval,
    evaluate,
    find_scored_frames,
    frame_sdr,
    load_scores,
    mean_over_targets,
    mixture_estimate,
    read_scored_frames,
    score_song,
    si_sdr,
    table,
    utterance_sdr,
    write_csv,
    write_summary,
)
from unmix_lite.names import TARGETS

RATE = 8000  # enough for the arithmetic, and a fifth of the work


def make_sources(sources=2, seconds=2.5, channels=2):
    """References, and estimates with every kind of error: filtered, leaking, noisy.

    museval's time grows with the cube of sources times channels.
    """
    random = np.random.default_rng(0)
    references = random.standard_normal((sources, round(seconds * RATE), channels))
    echo = np.roll(references, 3, axis=1)
    noise = random.standard_normal(references.shape)
    estimates = 0.8 * references + 0.2 * echo + 0.1 * references.sum(0) + 0.05 * noise
    return references, estimates


def museval_scores(references, estimates, window=1.0, hop=1.0, mode="v4"):
    museval = pytest.importorskip("museval", exc_type=(ImportError, RuntimeError))
    rows = museval.evaluate(
        list(references), list(estimates), int(window * RATE), int(hop * RATE), mode
    )
    return dict(zip(METRICS, rows))


# BSS Eval


@pytest.mark.parametrize(
    "sources, channels, mode", [(2, 2, "v4"), (5, 1, "v4"), (2, 2, "v3"), (3, 1, "v3")]
)
def test_bss_eval_is_museval(sources, channels, mode):
    references, estimates = make_sources(sources, channels=channels)
    scores = bss_eval(references, estimates, RATE, framewise=mode == "v3")
    expected = museval_scores(references, estimates, mode=mode)
    assert list(scores) == ["SDR", "ISR", "SIR", "SAR"]
    for name in METRICS:
        assert scores[name].shape == (sources, 2)  # 2.5 s: the incomplete third frame is dropped
        np.testing.assert_allclose(scores[name], expected[name], atol=1e-9)
    np.testing.assert_allclose(frame_sdr(references, estimates, RATE), expected["SDR"], atol=1e-6)


def test_an_excerpt_much_longer_than_a_block_of_the_correlations():
    references, estimates = make_sources(seconds=6.1, channels=1)
    expected = museval_scores(references, estimates, 0.9, 0.4)
    for name, rows in bss_eval(references, estimates, RATE, 0.9, 0.4).items():
        np.testing.assert_allclose(rows, expected[name], atol=1e-9)


def test_loud_and_nearly_silent():
    references, estimates = make_sources(seconds=2)
    level = np.array([1e4, 1e-4])[:, None, None]
    expected = museval_scores(references * level, estimates * level)
    for name, rows in bss_eval(references * level, estimates * level, RATE).items():
        np.testing.assert_allclose(rows, expected[name], atol=1e-5)


def test_bss_eval_takes_tensors():
    references, estimates = make_sources(seconds=1, channels=1)
    scores = bss_eval(torch.tensor(references), torch.tensor(estimates), RATE)
    expected = bss_eval(references, estimates, RATE)
    for name in METRICS:
        np.testing.assert_array_equal(scores[name], expected[name])


@pytest.mark.parametrize("window, hop", [(1.0, 0.5), (0.4, 0.7)])
def test_frame_sdr_is_musevals_sdr_for_other_frames(window, hop):
    references, estimates = make_sources(channels=1)
    expected = museval_scores(references, estimates, window, hop)["SDR"]
    sdr = frame_sdr(references, estimates, RATE, window, hop)
    np.testing.assert_allclose(sdr, expected, atol=1e-6)


def test_a_silent_frame_is_left_out_for_all_as_in_museval():
    references, estimates = make_sources(seconds=4)  # two channels, for the antiphase
    references[1, :RATE] = 0  # a source
    estimates[0, 2 * RATE : 3 * RATE] = 0  # and an estimate
    references[0, 3 * RATE :, 1] = -references[0, 3 * RATE :, 0]  # antiphase: museval: silent
    sdr, scores = frame_sdr(references, estimates, RATE), bss_eval(references, estimates, RATE)
    expected = museval_scores(references, estimates)
    np.testing.assert_array_equal(np.isnan(sdr), [[True, False, True, True]] * 2)
    np.testing.assert_allclose(sdr, expected["SDR"], atol=1e-6)
    for name in METRICS:
        np.testing.assert_allclose(scores[name], expected[name], atol=1e-9)


def test_known_decibels():
    references, _ = make_sources(seconds=1, channels=1)
    np.testing.assert_allclose(frame_sdr(references, references / 2, RATE), 6.0206, atol=1e-4)
    assert np.isposinf(frame_sdr(references, references, RATE)).all()
    # Half the level: nothing but a filter's error, so ISR says it all and SIR, SAR are near none.
    scores = bss_eval(references, references / 2, RATE)
    np.testing.assert_allclose(scores["ISR"], 6.0206, atol=1e-4)
    assert (scores["SIR"] > 100).all() and (scores["SAR"] > 100).all()


def test_a_source_silent_throughout_is_not_scored_and_the_others_are():
    references, estimates = make_sources(sources=3, channels=1)
    references[1] = 0
    expected = museval_scores(references[[0, 2]], estimates[[0, 2]])
    scores = bss_eval(references, estimates, RATE)
    for name in METRICS:
        assert np.isnan(scores[name][1]).all()
        np.testing.assert_allclose(scores[name][[0, 2]], expected[name], atol=1e-9)
    np.testing.assert_allclose(
        frame_sdr(references, estimates, RATE), scores["SDR"], atol=1e-6, equal_nan=True
    )


def test_a_silent_estimate_is_not_scored_and_still_interferes():
    references, estimates = make_sources(sources=3, channels=1)
    expected = museval_scores(references, estimates)
    estimates[1] = 0
    scores = bss_eval(references, estimates, RATE)
    for name in METRICS:
        assert np.isnan(scores[name][1]).all()
        np.testing.assert_allclose(scores[name][[0, 2]], expected[name][[0, 2]], atol=1e-9)
    np.testing.assert_allclose(
        frame_sdr(references, estimates, RATE), scores["SDR"], atol=1e-6, equal_nan=True
    )


def test_nothing_but_silence_has_no_scores():
    silence = np.zeros((2, RATE, 2))
    assert all(np.isnan(rows).all() for rows in bss_eval(silence, silence, RATE).values())
    assert np.isnan(frame_sdr(silence, silence, RATE)).all()


@pytest.mark.parametrize("gain", [1.0, -0.5, 0.0])
def test_mono_in_two_channels_is_museval(gain):
    """The second channel, a multiple of the first, makes the matrix singular; museval's luck is
    that its elimination still finds filters. The limit is what its rounding leaves."""
    references, estimates = make_sources(seconds=2)
    references[0, :, 1] = gain * references[0, :, 0]
    expected = museval_scores(references, estimates)
    for name, rows in bss_eval(references, estimates, RATE).items():
        np.testing.assert_allclose(rows, expected[name], atol=1e-6)


def test_clicks_alike_in_both_channels():
    """The matrix is exactly singular; there museval stops."""
    references, _ = make_sources(seconds=1)
    references[0] = 0
    references[0, 100] = 0.5
    estimates = references * np.array([0.5, 0.9])[:, None, None]
    scores = bss_eval(references, estimates, RATE)
    np.testing.assert_allclose(scores["SDR"][:, 0], [6.0206, 20.0], atol=1e-3)
    np.testing.assert_allclose(scores["ISR"][:, 0], [6.0206, 20.0], atol=1e-2)
    assert (scores["SIR"] > 60).all() and (scores["SAR"] > 60).all()


def test_filters_stay_short_where_the_sources_have_nothing():
    """Without anything above some frequency any filter fits there: museval's ISR is -80 dB."""
    references, estimates = make_sources()
    full = bss_eval(references, estimates, RATE)
    narrow = [band_limited(signal) for signal in (references, estimates)]
    for name, rows in bss_eval(*narrow, RATE).items():
        np.testing.assert_allclose(rows, full[name], atol=1.0)


def band_limited(signal):
    spectrum = np.fft.rfft(signal, axis=1)
    spectrum[:, int(0.7 * spectrum.shape[1]) :] = 0
    return np.fft.irfft(spectrum, signal.shape[1], axis=1)


def test_a_delayed_copy_of_a_source_explains_all_that_the_source_does():
    references, estimates = make_sources(channels=1)
    references[1] = np.roll(references[0], 5, axis=0)
    scores = bss_eval(references, estimates, RATE)
    assert all(np.isfinite(rows).all() for rows in scores.values())
    assert (scores["SIR"][0] > 20).all()  # nothing left to interfere
    assert abs(scores["SAR"][0] - bss_eval(references[:1], estimates[:1], RATE)["SAR"]).max() < 0.5


def test_real_music_is_museval(musdb7):
    """Three seconds of four stereo sources, echoed and leaking."""
    stems = Corpus("preview", Path(musdb7), "").tracks("valid")[0].stems()
    references = torch.stack(list(stems.values())).transpose(1, 2).numpy()
    references = references[:, : 3 * 44100].astype(np.float64)
    estimates = 0.7 * references + 0.1 * np.roll(references, 20, 1) + 0.05 * references.sum(0)
    museval = pytest.importorskip("museval", exc_type=(ImportError, RuntimeError))
    expected = museval.evaluate(references, estimates, win=44100, hop=44100)
    for name, rows in zip(METRICS, expected):
        ours = bss_eval(references, estimates)[name]
        np.testing.assert_allclose(ours, rows, atol=1e-3)


# Other ratios


def test_si_sdr_asks_for_the_shape_alone():
    references, estimates = make_sources()
    for gain in (0.01, 3.0, -1.0):
        np.testing.assert_allclose(
            si_sdr(references, gain * estimates), si_sdr(references, estimates), atol=1e-9
        )
    assert (si_sdr(references, references) > 250).all()
    # Orthogonal noise of a tenth of the energy: 10 dB, as the plain SDR of the best gain.
    random = np.random.default_rng(1)
    noise = random.standard_normal(references.shape)
    for source, error in zip(references, noise):
        error -= (error * source).sum() / (source**2).sum() * source
        error *= np.sqrt(0.1 * (source**2).sum() / (error**2).sum())
    np.testing.assert_allclose(si_sdr(references, 0.3 * (references + noise)), 10, atol=1e-9)


def test_utterance_sdr_is_the_challenges():
    references, estimates = make_sources()
    sdr = utterance_sdr(references, estimates)
    energy, error = (references**2).sum((1, 2)), ((references - estimates) ** 2).sum((1, 2))
    np.testing.assert_allclose(sdr, 10 * np.log10((energy + 1e-7) / (error + 1e-7)), atol=1e-9)
    silence = np.zeros_like(references)
    np.testing.assert_allclose(utterance_sdr(silence, silence), 0)
    assert np.isfinite(utterance_sdr(references, references)).all()


def test_a_silent_source_has_no_si_sdr():
    references, estimates = make_sources()
    references[0] = 0
    assert np.isnan(si_sdr(references, estimates)).tolist() == [True, False]


def with_nan(array):
    array = array.copy()
    array[0, 7, 1] = np.nan
    return array


@pytest.mark.parametrize("score", [bss_eval, frame_sdr])
@pytest.mark.parametrize(
    "change, message",
    [
        (lambda r, e: (r, e[:, :-1]), "differ in shape"),
        (lambda r, e: (r, e[:1]), "differ in shape"),
        (lambda r, e: (with_nan(r), e), "references: 1 samples are NaN"),
        (lambda r, e: (r, with_nan(e)), "estimates: 1 samples are NaN"),
        (lambda r, e: (r[:, : RATE - 1], e[:, : RATE - 1]), "less than one window"),
        (lambda r, e: (r.swapaxes(1, 2), e.swapaxes(1, 2)), "less than one window"),
        (lambda r, e: (r[..., 0], e[..., 0]), "expected shape"),
        (lambda r, e: (r[:0], e[:0]), "no samples"),
        (lambda r, e: ([r[0], r[1, :-1]], e), "not equally long"),
    ],
)
def test_bad_input_gets_one_clear_line(score, change, message):
    with pytest.raises(AudioError, match=message) as caught:
        score(*change(*make_sources(seconds=1)), RATE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("times", [{"window": 0.0}, {"hop": 0.0}])
def test_frames_of_no_length_are_refused(times):
    with pytest.raises(AudioError, match="at least one sample"):
        frame_sdr(*make_sources(seconds=1), RATE, **times)


# Scores of songs


def song(name, **sdr):
    values = {}
    for target, row in sdr.items():
        row = np.array(row, float)
        values[target] = {m: row + shift for shift, m in enumerate(METRICS)}
    return TrackScores(name, values)


NAN, INF = np.nan, np.inf
SONGS = [
    song("one", vocals=[1, 2, 9], bass=[NAN, -1.234567, INF]),
    song("two, live", vocals=[4, 5, 7], bass=[NAN, NAN, NAN]),
    song("three", vocals=[3, 3, 3], bass=[1, 2, 4]),
]


def test_json_is_musevals(tmp_path):
    museval = pytest.importorskip("museval", exc_type=(ImportError, RuntimeError))
    store = museval.TrackStore("one", win=1.0, hop=1.0)
    for target, rows in SONGS[0].values.items():
        store.add_target(target, {m: row.tolist() for m, row in rows.items()})
    SONGS[0].save(tmp_path / "one.json")
    text = (tmp_path / "one.json").read_text()
    as_text = [json.dumps(json.loads(t), sort_keys=True) for t in (text, store.json)]
    assert as_text[0] == as_text[1]  # as text, since NaN is not equal to itself
    store.scores = json.loads(text)
    store.validate()
    back = TrackScores.load(tmp_path / "one.json")
    assert back.track == "one" and (back.window, back.hop) == (1.0, 1.0)
    for target, rows in SONGS[0].values.items():
        for name in METRICS:
            np.testing.assert_array_equal(back.values[target][name], rows[name])


def test_json_keeps_other_hops(tmp_path):
    rows = {"vocals": {"SDR": np.array([1.0, 2.0, 3.0])}}
    TrackScores("half", rows, window=1.0, hop=0.5).save(tmp_path / "half.json")
    back = TrackScores.load(tmp_path / "half.json")
    assert (back.window, back.hop) == (1.0, 0.5)
    assert np.isnan(back.values["vocals"]["SIR"]).all()  # was not computed


@pytest.mark.parametrize("text", ["", "{}", '{"targets": [{"name": "bass"}]}', "[1]"])
def test_json_of_something_else_is_refused(tmp_path, text):
    (tmp_path / "song.json").write_text(text)
    with pytest.raises(UnmixError, match="song.json: not the scores"):
        TrackScores.load(tmp_path / "song.json")


def test_aggregate_is_median_over_frames_then_songs():
    assert aggregate(SONGS) == {"vocals": 3.0, "bass": pytest.approx((-1.23457 + 2) / 2)}
    assert mean_over_targets({"vocals": 3.0, "bass": 1.0}) == 2.0


def test_aggregate_is_musevals(tmp_path):
    museval = pytest.importorskip("museval", exc_type=(ImportError, RuntimeError))
    for scores in SONGS:
        scores.save(tmp_path / "test" / f"{scores.track}.json")
    store = museval.EvalStore()
    store.add_eval_dir(tmp_path)
    expected = store.agg_frames_tracks_scores()
    for metric in METRICS:
        for target, value in aggregate(load_scores(tmp_path), metric).items():
            assert value == pytest.approx(expected[target, metric])


def test_table_says_everything():
    lines = table(SONGS).splitlines()
    assert len({len(line) for line in lines}) == 1  # aligned
    assert lines[0].split() == "SDR in dB vocals bass mean frames left out".split()
    assert lines[2].split() == "one 2.00 -1.23 0.38 2 of 3".split()
    assert lines[3].split() == "two, live 5.00 - - 3 of 3".split()
    assert lines[-3].split() == "median of 3 songs 3.00 0.38 1.69 5 of 9".split()
    assert lines[-2].split() == "95 % from 2.00 -1.23".split()  # the extremes, of so few songs
    assert lines[-1].split() == "95 % to 5.00 2.00".split()
    assert len(table(SONGS[:1]).splitlines()) == 5  # one song has no interval


def test_the_interval_of_a_median():
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(100):  # the median of a normal distribution is its mean
        low, high = confidence_interval(random.normal(3.0, 1.0, 25))
        assert low < high
        covered += low < 3.0 < high
    assert 88 <= covered <= 99
    assert confidence_interval([1.0, NAN, 2.0]) == confidence_interval([1.0, 2.0])
    assert np.isnan(confidence_interval([1.0, NAN])).all()


def test_the_summary_has_a_row_per_target_and_metric(tmp_path):
    write_summary(tmp_path / "summary.csv", SONGS)
    with open(tmp_path / "summary.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["target"], row["metric"]) for row in rows[3:5]] == [
        ("vocals", "SAR"), ("bass", "SDR")
    ]  # fmt: skip
    assert rows[4] == {
        "target": "bass", "metric": "SDR", "median": "0.383", "low": "-1.235", "high": "2.000",
        "songs": "2", "left_out": "5",
    }  # fmt: skip


def test_csv_is_one_row_per_song_and_target(tmp_path):
    write_csv(tmp_path / "scores.csv", SONGS)
    with open(tmp_path / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["track"], row["target"]) for row in rows][:3] == [
        ("one", "vocals"), ("one", "bass"), ("two, live", "vocals")
    ]  # fmt: skip
    assert rows[1] == {
        "track": "one", "target": "bass", "SDR": "-1.235", "ISR": "-0.235", "SIR": "0.765",
        "SAR": "1.765", "frames": "3", "left_out": "2",
    }  # fmt: skip
    assert rows[3]["SDR"] == "" and rows[3]["left_out"] == "3"


def test_no_scores_is_said(tmp_path):
    with pytest.raises(UnmixError, match="holds no scores"):
        load_scores(tmp_path)


# The campaign's seconds


def test_excerpt_cuts_whole_seconds_at_the_nearest_sample():
    audio = torch.arange(1000.0).expand(2, -1)
    assert ScoredFrames(0.26, 3).cut(audio, 10).tolist() == [list(range(3, 33))] * 2
    with pytest.raises(CorpusError, match="a song: 100.00 s long, but"):
        ScoredFrames(0.26, 100).cut(audio, 10, "a song")


def test_no_excerpts_file_means_no_excerpts(tmp_path):
    assert read_scored_frames(tmp_path) == {}
    assert find_scored_frames(SimpleNamespace(name="x", path=tmp_path / "test" / "x")) is None
    assert find_scored_frames(SimpleNamespace(name="x")) is None


@pytest.mark.parametrize(
    "text", ["track,frames\na,6\n", "track,clip_offset_s,frames\na,-1,6\n",
             "track,clip_offset_s,frames\na,soon,6\n", "track,clip_offset_s,frames\na,0.8\n"]
)  # fmt: skip
def test_broken_excerpts_file_names_the_line(tmp_path, text):
    (tmp_path / "excerpts.csv").write_text(text)
    with pytest.raises(CorpusError, match="excerpts.csv, line 2"):
        read_scored_frames(tmp_path)


def test_real_excerpts_start_on_whole_samples(musdb7):
    excerpts = read_scored_frames(musdb7)
    if not excerpts:
        pytest.skip("this preview comes without excerpts.csv")
    assert len(excerpts) == 50
    for excerpt in excerpts.values():
        assert excerpt.offset * 44100 == pytest.approx(round(excerpt.offset * 44100), abs=1e-6)


def test_the_mixture_scores_what_the_campaign_published(musdb7, shared_data):
    """`MIX` of SiSEC 2018 on the same seconds of real songs, to what the preview's AAC allows."""
    if not read_scored_frames(musdb7):
        pytest.skip("this preview comes without excerpts.csv")
    with open(shared_data / "sisec2018_previews.csv", newline="") as file:
        published = {
            (row["track"], row["target"]): float(row["SDR"])
            for row in csv.DictReader(file)
            if row["method"] == "MIX" and row["SDR"]
        }
    for track in Corpus("preview", Path(musdb7), "").tracks("test")[:2]:
        excerpt, stems = find_scored_frames(track), track.stems()
        estimates = mixture_estimate(track.mixture(), track.rate)
        cut = [{t: excerpt.cut(d[t], 44100) for t in stems} for d in (stems, estimates)]
        scores = score_song(track.name, *cut, metrics="sdr")
        for target in stems:
            assert scores.median(target) == pytest.approx(published[track.name, target], abs=0.03)


# Whole data sets


class FakeTrack:
    """A song of noise: 2.5 s, four stems, a mixture."""

    rate, split = RATE, "test"

    def __init__(self, name, seed=0, drop=(), silent=()):
        self.name = name
        stems = torch.randn(4, 2, 5 * RATE // 2, generator=torch.Generator().manual_seed(seed))
        self._stems = dict(zip(("vocals", "drums", "bass", "other"), stems))
        self._stems.update({name: torch.zeros_like(stems[0]) for name in silent})
        self._stems = {name: stem for name, stem in self._stems.items() if name not in drop}

    def stems(self):
        return self._stems

    def mixture(self):
        return sum(self._stems.values())


@pytest.fixture
def tracks():
    return [FakeTrack("Artist - One", 1), FakeTrack("Artist - Two", 2), FakeTrack("Zed - 3", 3)]


def test_evaluate_writes_songs_and_summary(tmp_path, tracks):
    museval = pytest.importorskip("museval", exc_type=(ImportError, RuntimeError))
    scores = evaluate(mixture_estimate, tracks[:1], tmp_path, ["vocals", "bass"], progress=False)
    assert [song.track for song in scores] == ["Artist - One"]
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == [
        "Artist - One.json", "scores.csv", "scores.txt", "settings.json", "summary.csv",
    ]  # fmt: skip
    # Four equal independent sources, a quarter of their sum each: error 9/16 + 3/16 of one.
    for target, value in aggregate(scores).items():
        assert value == pytest.approx(10 * np.log10(16 / 12), abs=0.3), target
    assert np.isfinite(scores[0].values["bass"]["SIR"]).all()
    assert (tmp_path / "scores.txt").read_text().strip() == table(scores)
    store = museval.EvalStore()
    store.add_eval_dir(tmp_path)
    assert set(store.df["track"]) == {"Artist - One"}


def test_evaluate_survives_an_interruption(tmp_path, tracks, capsys):
    calls = []

    def interrupted(audio, rate):
        calls.append(rate)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return mixture_estimate(audio)

    with pytest.raises(KeyboardInterrupt):
        evaluate(interrupted, tracks, tmp_path, metrics="sdr", progress=False)
    assert not (tmp_path / "scores.csv").exists()
    before = (tmp_path / "test" / "Artist - One.json").stat().st_mtime_ns
    capsys.readouterr()
    scores = evaluate(interrupted, tracks, tmp_path, metrics="sdr")
    assert "1 of 3 songs are already scored" in capsys.readouterr().out
    assert calls == [RATE] * 4  # one, two (interrupted), two again, three
    assert (tmp_path / "test" / "Artist - One.json").stat().st_mtime_ns == before
    fresh = evaluate(mixture_estimate, tracks, tmp_path / "fresh", metrics="sdr", progress=False)
    assert table(scores) == table(fresh)


def test_several_processes_score_what_one_does(tmp_path, tracks):
    settings = {"targets": ["vocals", "bass"], "metrics": "sdr", "progress": False}
    alone = evaluate(mixture_estimate, tracks, tmp_path / "one", **settings)
    together = evaluate(mixture_estimate, tracks, tmp_path / "two", jobs=2, **settings)
    assert table(alone) == table(together)


def test_an_error_in_one_of_several_processes_is_its_line(tmp_path, tracks):
    tracks[1] = FakeTrack("Artist - Two", drop=["bass"])
    with pytest.raises(SongsFailed, match="^Artist - Two: has no stem 'bass'"):
        evaluate(mixture_estimate, tracks, tmp_path, metrics="sdr", progress=False, jobs=2)


@pytest.mark.parametrize("below", ["test", ""])
def test_anybodys_stems_are_scored(tmp_path, tracks, below):
    for track in tracks:
        for name, stem in track.stems().items():
            save_audio(tmp_path / "stems" / below / track.name / f"{name}.wav", stem / 2, RATE)
    scores = evaluate(
        StoredEstimates(tmp_path / "stems"), tracks, tmp_path / "scores", metrics="sdr",
        progress=False,
    )  # fmt: skip
    assert aggregate(scores) == {t: pytest.approx(6.0206, abs=1e-3) for t in tracks[0].stems()}


def test_what_is_wrong_with_anybodys_stems_is_one_line(tmp_path, tracks):
    def score():
        estimates = StoredEstimates(tmp_path / "stems")
        evaluate(estimates, tracks[:1], tmp_path / "scores", metrics="sdr", progress=False)

    with pytest.raises(UnmixError, match="no such folder"):
        score()
    folder = tmp_path / "stems" / "Artist - One"
    (tmp_path / "stems").mkdir()
    with pytest.raises(SongsFailed, match="has no folder 'Artist - One'"):
        score()
    folder.mkdir()
    with pytest.raises(SongsFailed, match="so no estimates"):
        score()
    stems = tracks[0].stems()
    save_audio(folder / "vocals.wav", stems["vocals"], RATE)
    with pytest.raises(UnmixError, match="gave no 'drums'"):
        score()
    for name, stem in stems.items():
        save_audio(folder / f"{name}.wav", stem[:, : -RATE // 3], RATE)
    with pytest.raises(SongsFailed, match="shape"):
        score()
    save_audio(folder / "vocals.wav", stems["vocals"], 2 * RATE)
    with pytest.raises(SongsFailed, match="has 16000 Hz, the song 8000 Hz"):
        score()


def test_one_bad_song_does_not_keep_the_others_from_their_scores(tmp_path, tracks, monkeypatch):
    """Two are bad: one too short, one without memory for it. The next call tries them again."""
    short = FakeTrack("Artist - Short")
    short.mixture = lambda: torch.zeros(2, RATE // 2)

    def separate(audio, rate):
        if torch.equal(audio, tracks[1].mixture()):
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return mixture_estimate(audio)

    arguments = {"metrics": "sdr", "progress": False}
    with pytest.raises(SongsFailed) as caught:
        evaluate(separate, [short, *tracks], tmp_path, **arguments)
    first, *lines = str(caught.value).splitlines()
    assert first == "2 of 4 songs could not be scored:" and len(lines) == 2
    assert "Artist - Short: lasts 0.5 s" in lines[0] and "this machine's memory" in lines[1]
    good = [tracks[0].name, tracks[2].name]
    assert [song.track for song in caught.value.scores] == good
    assert "Artist - One" in (tmp_path / "scores.txt").read_text()
    again = evaluate(mixture_estimate, tracks, tmp_path, **arguments)
    assert [song.track for song in again] == [track.name for track in tracks]


class Weighted:
    """A separator with weights, of which there is one."""

    targets = list(TARGETS)

    def __init__(self, weight):
        self.weight = weight

    def __call__(self, audio, rate):
        noise = torch.randn(audio.shape, generator=torch.Generator().manual_seed(0))
        return {target: self.weight * audio + 0.1 * noise for target in self.targets}

    def fingerprint(self):
        return f"{self.weight:.6f}"


def test_other_weights_under_the_same_name_are_scored_anew(tmp_path, tracks, capsys):
    folder, arguments = tmp_path / "scores", {"metrics": "sdr", "model": "mine"}
    before = evaluate(Weighted(0.25), tracks, folder, **arguments)
    assert aggregate(evaluate(Weighted(0.25), tracks, folder, **arguments)) == aggregate(before)
    assert "has changed" not in capsys.readouterr().out
    after = evaluate(Weighted(0.5), tracks, folder, **arguments)
    fresh = evaluate(Weighted(0.5), tracks, tmp_path / "fresh", **arguments)
    assert aggregate(after) == aggregate(fresh) != aggregate(before)
    # Nothing is lost: the old scores lie beside the new.
    assert aggregate(load_scores(tmp_path / "scores.0.250000")) == aggregate(before)
    assert "mine computes with has changed; its old scores are in" in capsys.readouterr().out


def test_scores_of_other_settings_are_replaced_on_demand(tmp_path, tracks):
    (tmp_path / "notes.txt").write_text("mine")
    evaluate(mixture_estimate, tracks, tmp_path, metrics="sdr", model="a", progress=False)
    with pytest.raises(UnmixError, match="--overwrite"):
        evaluate(mixture_estimate, tracks[:1], tmp_path, metrics="sdr", model="b", progress=False)
    evaluate(
        mixture_estimate, tracks[:1], tmp_path, metrics="sdr", model="b", progress=False,
        overwrite=True,
    )  # fmt: skip
    assert [song.track for song in load_scores(tmp_path)] == [tracks[0].name]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_estimates_that_a_codec_lengthened_or_made_mono_are_fitted(tmp_path, tracks, capsys):
    """576 samples more than the song, as after MP3, give the scores of the song's own length."""

    def lengthened(audio, rate):
        return {t: torch.nn.functional.pad(s, (0, 576)) for t, s in mixture_estimate(audio).items()}

    def shortened(audio, rate):
        return {t: s[:, :-9] for t, s in mixture_estimate(audio).items()}

    def mono(audio, rate):
        return {t: s.mean(0, keepdim=True) for t, s in mixture_estimate(audio).items()}

    plain = evaluate(mixture_estimate, tracks, tmp_path / "plain", metrics="sdr", progress=False)
    for number, (separate, told) in enumerate([
        (lengthened, "576 samples longer, cut at the end. So of 3 songs."),
        (shortened, "9 samples shorter, padded at the end. So of 3 songs."),
        (mono, "mono, taken for both channels. So of 3 songs."),
    ]):  # fmt: skip
        scores = evaluate(separate, tracks, tmp_path / str(number), metrics="sdr")
        assert told in capsys.readouterr().out
        if separate is lengthened:
            assert aggregate(scores) == aggregate(plain)


def test_stored_estimates_that_have_changed_are_scored_anew(tmp_path, tracks):
    for track in tracks:
        for name, stem in track.stems().items():
            save_audio(tmp_path / "stems" / track.name / f"{name}.wav", stem / 2, RATE)
    arguments = {"metrics": "sdr", "progress": False, "model": "stems"}
    stored = StoredEstimates(tmp_path / "stems")
    before = evaluate(stored, tracks, tmp_path / "scores", **arguments)
    for track in tracks:
        save_audio(tmp_path / "stems" / track.name / "bass.wav", track.stems()["bass"] * 0.9, RATE)
    after = evaluate(stored, tracks, tmp_path / "scores", **arguments)
    assert aggregate(after)["bass"] > aggregate(before)["bass"] + 10
    assert aggregate(after)["drums"] == aggregate(before)["drums"]


def test_an_oracle_is_scored_like_any_other(tmp_path, tracks):
    oracle = evaluate(
        OracleEstimates("IRM2", n_fft=512, hop_length=128), tracks[:1], tmp_path, metrics="sdr",
        progress=False,
    )  # fmt: skip
    assert min(aggregate(oracle).values()) > 2.5  # four equal noises: the mixture has -4.8


@pytest.mark.parametrize(
    "change", [{"model": "another"}, {"metrics": "all"}, {"targets": ["vocals", "bass"]}]
)
def test_scores_of_other_settings_do_not_mix(tmp_path, tracks, change):
    settings = {"model": "mine", "metrics": "sdr", "progress": False}
    evaluate(mixture_estimate, tracks[:1], tmp_path, **settings)
    with pytest.raises(UnmixError, match="another folder"):
        evaluate(mixture_estimate, tracks, tmp_path, **(settings | change))
    assert not (tmp_path / "test" / "Artist - Two.json").exists()


def test_a_folder_of_unknown_scores_is_refused(tmp_path, tracks):
    SONGS[0].save(tmp_path / "test" / "one.json")
    with pytest.raises(UnmixError, match="no settings.json"):
        evaluate(mixture_estimate, tracks, tmp_path, metrics="sdr", progress=False)


def test_one_target_is_scored_against_the_rest(tmp_path, tracks):
    def quarter(audio, rate):
        return {"vocals": audio / 4}

    scores = evaluate(quarter, tracks[:1], tmp_path, ["vocals"], metrics="sdr", progress=False)[0]
    stems = tracks[0].stems()
    rest = stems["drums"] + stems["bass"] + stems["other"]
    mixture = tracks[0].mixture()
    expected = frame_sdr(
        torch.stack([stems["vocals"], rest]).transpose(1, 2),
        torch.stack([mixture / 4, 0.75 * mixture]).transpose(1, 2),
        RATE,
    )
    assert scores.targets == ["vocals", "accompaniment"]
    for row, target in zip(expected, scores.targets):
        np.testing.assert_allclose(scores.values[target]["SDR"], row, atol=1e-5)


def test_a_silent_stem_is_reported(tmp_path, capsys):
    silent = FakeTrack("Instrumental", silent=["vocals"])
    scores = evaluate(mixture_estimate, [silent], tmp_path, metrics="sdr")[0]
    assert "Instrumental: vocals has no score" in capsys.readouterr().out
    assert np.isnan(scores.median("vocals")) and np.isfinite(scores.median("bass"))


def test_the_campaigns_seconds_are_cut(tmp_path, tracks):
    (tmp_path / "excerpts.csv").write_text(
        "track,song_second,clip_offset_s,frames\nArtist - One,3,0.25,2\n"
    )
    track = tracks[0]
    track.path = tmp_path / "test" / track.name
    arguments = {"metrics": "sdr", "progress": False}
    scores = evaluate(mixture_estimate, [track], tmp_path / "cut", **arguments)[0]
    whole = evaluate(mixture_estimate, [track], tmp_path / "all", sisec=False, **arguments)[0]
    references = torch.stack(list(track.stems().values())).transpose(1, 2)
    estimates = (track.mixture() / 4).T.expand(4, -1, -1)
    late = slice(RATE // 4, RATE // 4 + 2 * RATE)
    expected = frame_sdr(references[:, late], estimates[:, late], RATE)
    np.testing.assert_allclose(scores.values["bass"]["SDR"], expected[2], atol=1e-5)
    assert not np.allclose(whole.values["bass"]["SDR"], expected[2], atol=1e-3)
    settings = json.loads((tmp_path / "cut" / "settings.json").read_text())
    assert settings["seconds"] == "SiSEC 2018"


@pytest.mark.parametrize(
    "separate, arguments, message",
    [
        (lambda a, r: {"vocals": a}, {}, "gave no 'drums', only vocals"),
        (lambda a, r: mixture_estimate(a[:, RATE:]), {}, "One: the estimate of 'vocals'"),
        (lambda a, r: mixture_estimate(a * NAN), {}, "One: estimates: .* are NaN"),
        (mixture_estimate, {"targets": ["guitar"]}, "One: has no stem 'guitar'"),
        (mixture_estimate, {"targets": []}, "at least one"),
        (mixture_estimate, {"metrics": "sir"}, "'all' or 'sdr'"),
    ],
)
def test_what_cannot_be_evaluated_is_said(tmp_path, tracks, separate, arguments, message):
    arguments = {"metrics": "sdr", "progress": False} | arguments
    with pytest.raises(UnmixError, match=message) as caught:
        evaluate(separate, tracks[:1], tmp_path, **arguments)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "scores.csv").exists()


def test_no_songs_is_said(tmp_path):
    with pytest.raises(UnmixError, match="no songs"):
        evaluate(mixture_estimate, [], tmp_path)
