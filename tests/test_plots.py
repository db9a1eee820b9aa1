"""What the pictures show: the right frequency at the right place, one scale, readable labels."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from unmix_lite import plots
from unmix_lite.signal import STFT


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """No function may show a figure or change matplotlib's settings for others."""

    def shown(*_, **__):
        raise AssertionError("a plot function called plt.show()")

    monkeypatch.setattr(plt, "show", shown)
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    plt.close("all")


def bar_labels(figure):
    """The labels of the Axes that are colour bars."""
    return [ax.get_ylabel() for ax in figure.axes if hasattr(ax, "_colorbar")]


def test_spectrogram_shows_a_tone_where_it_is(tone):
    spec = STFT()(tone(1000.0, seconds=2.0))
    ax = plots.spectrogram(
        spec, rate=44100, hop_length=1024, title="a tone", top=5000, log=False, span=80
    )
    image = ax.images[0]
    left, right, bottom, top = image.get_extent()
    values = np.asarray(image.get_array())
    row = values[:, values.shape[1] // 2].argmax()
    kilohertz = bottom + (row + 0.5) * (top - bottom) / values.shape[0]
    assert kilohertz == pytest.approx(1.0, abs=0.01)
    assert values.max() == 0 and values.min() >= -80
    assert right == pytest.approx(2.0, abs=0.03)
    assert ax.get_ylim() == (0, 5) and ax.get_title() == "a tone"
    assert ax.get_xlabel() == "time (s)" and ax.get_ylabel() == "frequency (kHz)"
    assert bar_labels(ax.figure) == ["dB"]


def test_spectrogram_averages_channels_and_takes_magnitudes(tone):
    spec = STFT()(tone(500.0))
    spec[1] = 0
    one, two = (np.asarray(plots.spectrogram(s, log=False).images[0].get_array())
                for s in (spec[0].abs(), spec))  # fmt: skip
    np.testing.assert_allclose(one, two, atol=1e-4)  # half the level, and relative to its peak


def test_spectrogram_reference_sets_zero_decibels():
    ax = plots.spectrogram(torch.full((5, 4), 0.1), reference=1.0, log=False)
    np.testing.assert_allclose(np.asarray(ax.images[0].get_array()), -20, atol=1e-4)


def test_logarithmic_spectrogram(tone):
    ax = plots.spectrogram(STFT()(tone(200.0)), log=True, top=10000)
    assert ax.get_yscale() == "log" and ax.get_ylim() == (0.04, 10)
    ax.figure.canvas.draw()


def test_silence_can_be_drawn():
    ax = plots.spectrogram(torch.zeros(2, 9, 7))
    assert np.asarray(ax.collections[0].get_array()).max() == -70
    plots.waveform(torch.zeros(2, 100)).figure.canvas.draw()


def test_a_click_leaves_the_rest_of_the_picture_visible():
    magnitudes = torch.full((100, 100), 0.1)
    magnitudes[:, 50] = torch.linspace(1, 5, 100)
    magnitudes[:99, 50] = 0.1
    levels = np.asarray(plots.spectrogram(magnitudes).collections[0].get_array())
    assert levels.max() == 0  # 34 dB above the rest, and not the measure of all things
    assert np.median(levels) == pytest.approx(-14, abs=0.1)


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"got \(1, 2, 9, 7\)"):
        plots.spectrogram(torch.zeros(1, 2, 9, 7))


def test_spectrograms_share_one_scale():
    noise = torch.rand(65, 40, generator=torch.Generator().manual_seed(0))
    figure = plots.spectrograms({"loud": noise, "soft": 0.1 * noise, "third": noise})
    pictures = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in pictures] == ["loud", "soft", "third"]
    assert {ax.collections[0].get_clim() for ax in pictures} == {(-70, 0)}
    levels = [float(np.median(np.asarray(ax.collections[0].get_array()))) for ax in pictures]
    assert levels[0] - levels[1] == pytest.approx(20, abs=0.01) and levels[0] == levels[2]
    assert bar_labels(figure) == ["dB"]
    figure.canvas.draw()


def test_mask_runs_from_zero_to_one():
    ax = plots.mask(torch.tensor([[0.0, 0.5], [1.0, 0.25]]), log=False)
    assert ax.images[0].get_clim() == (0, 1) and bar_labels(ax.figure) == ["mask"]
    assert plots.mask(torch.full((2, 3, 4), 1.5)).collections[0].get_clim() == (0, 1.5)


def test_waveform_keeps_a_single_click():
    audio = torch.zeros(2, 1_000_000)
    audio[1, 654_321] = -0.9
    ax = plots.waveform(audio, rate=44100, colour=plots.COLOURS["drums"])
    box = ax.collections[0].get_datalim(ax.transData)
    assert box.y0 == pytest.approx(-0.9) and box.y1 == 0
    points = ax.collections[0].get_paths()[0].vertices
    assert points[points[:, 1].argmin(), 0] == pytest.approx(654_321 / 44100, abs=0.02)
    assert len(points) < 10_000


def test_waveform_takes_one_channel_and_one_sample():
    plots.waveform(torch.ones(5))
    plots.waveform(torch.ones(1, 1)).figure.canvas.draw()


def test_curves_mark_the_best_validation_loss():
    history = [
        {"step": 10, "train_loss": 1.0, "valid_loss": None},
        {"step": 20, "train_loss": 0.8, "valid_loss": 0.9},
        {"step": 30, "train_loss": 0.6},
        {"step": 40, "train_loss": 0.5, "valid_loss": 0.7},
        {"step": 60, "train_loss": 0.4, "valid_loss": 0.8},
    ]
    ax = plots.curves(history)
    training, validation, best = ax.lines
    assert list(training.get_xdata()) == [10, 20, 30, 40, 60]
    assert list(validation.get_xdata()) == [20, 40, 60]
    assert (best.get_xdata()[0], best.get_ydata()[0]) == (40, 0.7)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation"]


def test_curves_of_several_targets_have_their_colours():
    rows = [{"step": 1, "train_loss": 2.0}, {"step": 2, "train_loss": 1.0}]
    ax = plots.curves({"vocals": rows, "bass": rows})
    assert [line.get_color() for line in ax.lines] == [
        plots.COLOURS["vocals"], plots.COLOURS["bass"]
    ]  # fmt: skip
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["vocals training", "bass training"]


def test_live_curve_shows_one_picture_and_redraws_it(monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown, updated = [], []

    class Handle:
        update = updated.append

    def show(figure, display_id):
        assert display_id
        shown.append(figure)
        return Handle()

    monkeypatch.setattr(display, "display", show)
    live = plots.LiveCurve("vocals", "L1 loss")
    assert not plt.get_fignums()  # the notebook must not show it by itself as well
    history = [{"step": 10 * n, "train_loss": 1 / n, "valid_loss": 2 / n} for n in (1, 2, 3)]
    for count in (1, 2, 3):
        live(history[:count])
    [figure] = shown
    assert updated == [figure, figure]
    [ax] = figure.axes
    assert [list(line.get_xdata()) for line in ax.lines] == [[10, 20, 30], [10, 20, 30], [30]]
    assert (ax.get_title(), ax.get_ylabel()) == ("vocals", "L1 loss")


def test_score_chart_writes_medians_and_leaves_nan_out():
    scores = {"vocals": [1.0, 3.0, 8.0, np.nan], "silent": [np.nan], "bass": [2.0]}
    ax = plots.score_chart(scores, title="songs")
    assert [text.get_text() for text in ax.texts] == ["3.0", "2.0"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["vocals", "silent", "bass"]
    dots = [line.get_ydata() for line in ax.lines if line.get_marker() == "o"]
    assert [sorted(d) for d in dots] == [[1.0, 3.0, 8.0], [2.0]]
    assert ax.get_ylabel() == "SDR (dB)"
    ax.figure.canvas.draw()


@pytest.mark.parametrize("draw", [
    lambda ax: plots.spectrogram(torch.rand(9, 7), ax=ax),
    lambda ax: plots.mask(torch.rand(9, 7), ax=ax),
    lambda ax: plots.waveform(torch.rand(2, 50), ax=ax),
    lambda ax: plots.curves([{"step": 1, "train_loss": 2.0}], ax=ax),
    lambda ax: plots.score_chart({"vocals": [1.0, 2.0]}, ax=ax),
])  # fmt: skip
def test_given_axes_are_used(draw):
    _, ax = plt.subplots()
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1


def test_colours_are_distinct_and_readable_on_white():
    assert len(set(plots.COLOURS.values())) == len(plots.COLOURS)
    for name in ("vocals", "drums", "bass", "other", "mixture"):
        red, green, blue = np.array(matplotlib.colors.to_rgb(plots.COLOURS[name])) ** 2.2
        luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        # WCAG 2.1 asks 3 to 1 of graphics.
        assert 1.05 / (luminance + 0.05) >= 2.95, name


ROWS = {"mixture": {"vocals": -4.83, "drums": None}, "<lite>": {"vocals": 5.02, "drums": -0.01}}


def test_a_table_is_html_in_a_notebook_and_lines_elsewhere():
    table = plots.table(ROWS, head="dB", best="high")
    assert repr(table).splitlines() == [
        "dB       vocals  drums", "mixture    -4.8      –", "<lite>      5.0    0.0",
    ]  # fmt: skip
    html = table._repr_html_()
    assert "&lt;lite&gt;" in html and html.count("<tr>") == 3
    assert html.count("<strong>") == 2 and "<strong>5.0</strong>" in html


def test_tables_take_rows_by_order_and_refuse_what_does_not_fit():
    table = plots.table({"a": [1, "x"], "b": [2.0, torch.tensor(0.25)]}, ["n", "t"], digits=2)
    assert table.rows == (("a", "1", "x"), ("b", "2.00", "0.25"))
    assert plots.table({"a": [3.0], "b": [2.0]}, ["n"], best="low").best == {(1, 1)}
    with pytest.raises(ValueError, match="row 'a': 1 values for 2 columns"):
        plots.table({"a": [1]}, ["n", "t"])
