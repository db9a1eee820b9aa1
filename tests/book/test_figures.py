"""Figures that stand in two places agree: cards, README and chapters say what the records say.

A record under book/results is what was measured; whatever repeats a figure of it is held to it
here, to the last decimal that is printed. No figure stands in this file.
"""

import hashlib
import json
import re
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from unmix_lite.evaluation import published
from unmix_lite.models import HybridDemucs
from unmix_lite.names import TARGETS
from unmix_lite.separation import Separator
from unmix_lite.weights import PRETRAINED, load_networks, pretrained_names

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "book" / "results"
CARDS = {name: (PRETRAINED / name / "README.md").read_text("utf8") for name in pretrained_names()}


@cache
def record(name):
    """A record under book/results, such as "ladder/preview"."""
    return json.loads((RESULTS / f"{name}.json").read_text("utf8"))


def rung(system, published=False):
    """What stands on the ladder of the test clips: target -> {songs, median, low, high}."""
    rungs = record("ladder/preview")["rungs"]
    (found,) = (r for r in rungs if (r["system"], r["published"]) == (system, published))
    return found["targets"]


def medians(name):
    """Of a record of scores: target -> median over the songs, in dB."""
    songs = record(f"scores/{name}")["songs"].values()
    return {
        target: float(np.nanmedian([np.nan if s[target] is None else s[target] for s in songs]))
        for target in TARGETS
    }


def validation(name):
    """How a shipped model scored on the songs that chose it, as its training's record has it."""
    kinds = [kind for kind in ("training", "roads") if (RESULTS / kind / f"{name}.json").is_file()]
    return record(f"{kinds[0]}/{name}")["scores"]


def recorded(model, label):
    """What the records say of one row of a model's card: target -> dB, and of how many songs."""
    if "validation" in label:
        scores = validation(model)
        return {t: s["median"] for t, s in scores["targets"].items()}, scores["songs"]
    if "without the mean" in label:
        return medians("intact-mean"), len(record("scores/intact-mean")["songs"])
    campaign = re.search(r"\((\w+\d)\b", label)
    system = "mixture" if "the mixture" in label else label.replace("*", "").split(",")[0]
    row = rung(campaign[1], published=True) if campaign else rung(system)
    # Some published systems lack a clip; the column speaks of the clips that were asked for.
    return {t: s["median"] for t, s in row.items()}, len(record("scores/umx-lite")["songs"])


def rows(text):
    """The rows of a card's table of scores: (label, column -> what is printed there)."""
    lines = text.split("**Scores.**")[1].split("**Limits.**")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    head, _rule, *body = cells
    return [(row[0], dict(zip(head[1:], row[1:], strict=True))) for row in body]


def disagreements(model, text):
    """One line for every figure of a card's table that is not the record's."""
    found = []
    for label, printed in rows(text):
        values, songs = recorded(model, label)
        values["mean"] = float(np.mean(list(values.values())))
        told = re.search(r"(\d+) (test|validation) clips", label)
        if told and int(told[1]) != songs:
            found.append(f"{model}: '{label}' are {songs} clips")
        found += [
            f"{model}: {column} of '{label}' is {values[column]:.2f}, not {figure}"
            for column, figure in printed.items()
            if figure.strip("*") != f"{values[column]:.2f}"
        ]
    return found


@pytest.mark.parametrize("model", CARDS)
def test_a_card_prints_the_recorded_scores(model):
    assert disagreements(model, CARDS[model]) == []


@pytest.mark.parametrize("model", CARDS)
def test_a_figure_changed_in_one_place_is_found(model):
    start = CARDS[model].index("**Scores.**")
    end = CARDS[model].index("**Limits.**")
    figures = [m for m in re.finditer(r"\d+\.\d\d", CARDS[model]) if start < m.start() < end]
    in_table = [m for m in figures if CARDS[model][: m.start()].splitlines()[-1].startswith("|")]
    assert len(in_table) >= 2
    for figure in in_table:
        altered = f"{float(figure[0]) + 0.01:.2f}"
        text = CARDS[model][: figure.start()] + altered + CARDS[model][figure.end() :]
        assert len(disagreements(model, text)) == 1, figure


def mean_of(record_of_scores):
    return float(np.mean(list(record_of_scores.values())))


def on_validation(name):
    return record(f"training/{name}")["scores"]["mean"]


def quietest_voices():
    """The two worst scores for vocals among the test clips, the better one first."""
    songs = record("scores/umx-lite")["songs"].values()
    return sorted(song["vocals"] for song in songs)[1::-1]


def last_steps(name):
    trainings = record(f"training/{name}")["trainings"].values()
    return [parts[-1]["history"][-1]["step"] for parts in trainings]


def campaign(system):
    """The mean over the targets of a published system's medians on the recorded clips."""
    clips = list(record("scores/umx-lite")["songs"])
    scores = published("clips")[system]
    return float(np.mean([np.nanmedian(scores.values(t, tracks=clips)) for t in TARGETS]))


TEST = mean_of(medians("umx-lite"))
NO_MEAN = mean_of(medians("intact-mean"))
# Where prose repeats a record: the file, the words around the figures, what the records say.
QUOTED = [
    ("unmix_lite/pretrained/umx-lite/README.md",
     r"the scores are ([\d.]+) dB higher than on the test clips",
     lambda: [on_validation("umx-lite") - TEST]),
    ("unmix_lite/pretrained/umx-lite/README.md",
     r"Of the last step of the recipe, ([\d.]+) dB there",
     lambda: [on_validation("intact-mean") - on_validation("intact-before")]),
    ("unmix_lite/pretrained/umx-lite/README.md",
     r"of the ([\d.]+) dB that the mean over neighbours brings there, ([\d.]+) are",
     lambda: [on_validation("umx-lite") - on_validation("intact-mean"), TEST - NO_MEAN]),
    ("unmix_lite/pretrained/umx-lite/README.md",
     r"two of the (\d+) test clips have (-[\d.]+) and (-[\d.]+) dB on vocals",
     lambda: [len(record("scores/umx-lite")["songs"]), *quietest_voices()]),
    ("unmix_lite/pretrained/umx-lite-live/README.md",
     r"no GPU: ([\d,]+) and ([\d,]+) steps",
     lambda: last_steps("umx-lite-live")),
    ("README.md",
     r"On (\d+) seven-second test clips .{0,60} a mean SDR of ([\d.]+) dB",
     lambda: [len(record("scores/umx-lite")["songs"]), TEST]),
    ("paper.md",
     r"a mean SDR of ([\d.]+) dB on (\d+) test clips",
     lambda: [TEST, len(record("scores/umx-lite")["songs"])]),
    ("paper.md",
     r"beside (\d+) systems of the campaign",
     lambda: [len(published("clips"))]),
    ("book/article_and_code.md",
     r"reaches ([\d.]+) dB, the mean of its four median SDRs on the (\d+) test clips",
     lambda: [TEST, len(record("scores/umx-lite")["songs"])]),
    ("book/article_and_code.md",
     r"reach ([\d.]+) dB \(UHL1\), ([\d.]+) dB \(UHL2\) and ([\d.]+) dB \(TAK1\) on the same",
     lambda: [campaign(system) for system in ("UHL1", "UHL2", "TAK1")]),
    ("book/article_and_code.md",
     r"Without the mean over repetitions, .{0,50} it is ([\d.]+) dB",
     lambda: [NO_MEAN]),
    ("notebooks/11_other_roads.ipynb",
     r"on the same (\d+) real test songs",
     lambda: [max(t["songs"] for r in record("ladder/preview")["rungs"]
                  for t in r["targets"].values())]),
]  # fmt: skip


def prose(name):
    """The text of a page or a chapter in one line."""
    text = (ROOT / name).read_text("utf8")
    if name.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        text = " ".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return " ".join(text.split())


@pytest.mark.parametrize("file, words, values", QUOTED, ids=[words for _, words, _ in QUOTED])
def test_prose_repeats_the_records(file, words, values):
    printed = re.search(words, prose(file))
    assert printed, f"{file} no longer says '{words}': mend QUOTED"
    for figure, value in zip(printed.groups(), values(), strict=True):
        decimals = len(figure.partition(".")[2])
        assert figure.replace(",", "") == f"{value:.{decimals}f}", f"{file}: {printed[0]}"


def test_the_articles_expectation_holds_within_a_decibel():
    """As its verdict in the appendix says."""
    text = prose("book/article_and_code.md")
    assert "**Right**, to within a decibel" in text
    assert all(0 < campaign(system) - TEST < 1 for system in ("UHL1", "UHL2", "TAK1"))


def test_wave_u_net_stands_between_deep_conv_sep_and_open_unmix():
    """As the appendix says of waveforms and masks."""
    systems = ("deep-conv-sep-lite", "wave-u-net-lite", "umx-lite")
    low, middle, high = (
        mean_of({target: s["median"] for target, s in rung(system).items()}) for system in systems
    )
    assert low < middle < high - 1


def test_every_claim_of_the_article_has_a_verdict():
    text = (ROOT / "book" / "article_and_code.md").read_text("utf8")
    answers = re.findall(r"^: (.{14})", text, re.MULTILINE)
    assert len(answers) > 20
    assert [a for a in answers if not re.match(r"\*\*(Right|Imprecise|Wrong)\b", a)] == []


@pytest.mark.parametrize("model", sorted(set(CARDS) & {p.stem for p in RESULTS.glob("roads/*")}))
def test_a_card_has_its_trainings_command_and_minutes(model):
    """Trainings in several steps are told in the card's own words, their first one literally."""
    text = " ".join(CARDS[model].split())
    trainings = [record(f"roads/{model}")]
    if "--initial" in trainings[0]["command"]:
        trainings.insert(0, record(f"roads/{model.removesuffix('lite')}first"))
    assert f"`{trainings[0]['command']}`" in text
    assert f"{trainings[-1]['minutes']:.0f} minutes" in text


@pytest.mark.parametrize("name", ["umx-lite", "umx-lite-live"])
def test_a_record_has_the_curves_that_came_with_the_weights(name):
    def histories(curve):
        before = histories(curve["began_from"]) if "began_from" in curve else []
        return before + [part["history"] for part in curve.get("averaged", [curve])]

    for target, parts in record(f"training/{name}")["trainings"].items():
        shipped = json.loads((PRETRAINED / name / f"{target}.json").read_text("utf8"))
        assert [part["history"] for part in parts] == histories(shipped), target


@pytest.mark.parametrize("system", ["umx-lite", "IRM1"])
def test_the_ladder_has_the_medians_of_the_recorded_scores(system):
    row = rung(system if system in CARDS else f"{system} (ours)")
    for target, median in medians(system).items():
        assert row[target]["median"] == pytest.approx(median, abs=5e-4), target
        assert row[target]["songs"] == len(record(f"scores/{system}")["songs"])


def test_the_ladder_has_the_published_scores_that_come_with_the_package():
    clips = list(record("scores/umx-lite")["songs"])
    systems = published("clips")
    rungs = [r for r in record("ladder/preview")["rungs"] if r["published"]]
    assert {r["system"] for r in rungs} == set(systems)
    for row in rungs:
        for target, told in row["targets"].items():
            values = systems[row["system"]].values(target, tracks=clips)
            values = values[~np.isnan(values)]
            assert (len(values), round(float(np.median(values)), 3)) == (
                told["songs"], told["median"]
            ), (row["system"], target)  # fmt: skip


TRAININGS = [
    f"{kind}/{f.stem}" for kind in ("training", "roads") for f in RESULTS.glob(f"{kind}/*")
]


@pytest.mark.parametrize("name", sorted(TRAININGS))
def test_a_records_summary_is_that_of_its_songs(name):
    scores = record(name)["scores"]
    for target, told in scores["targets"].items():
        assert told["median"] == pytest.approx(np.median(told["songs"]), abs=1e-3), target
    means = [told["median"] for told in scores["targets"].values()]
    assert scores["mean"] == pytest.approx(np.mean(means), abs=1e-3)


def weights(name):
    """How many weights a shipped model has: one network may know several targets."""
    networks = {id(network): network for network, _ in load_networks(name).values()}
    return sum(w.numel() for network in networks.values() for w in network.parameters())


def test_costs_are_of_the_weights_that_come_with_the_package():
    told = {name: cost["weights"] for name, cost in record("costs")["systems"].items()}
    assert {name: told[name] for name in CARDS} == {name: weights(name) for name in CARDS}
    assert told["hdemucs"] == sum(w.numel() for w in HybridDemucs().parameters())


@pytest.mark.parametrize("model", CARDS)
def test_a_card_counts_its_weights_as_the_costs_do(model):
    counts = re.findall(r"([\d.,]+)( million)? weights", " ".join(CARDS[model].split()))
    cost = record("costs")["systems"][model]["weights"]
    for figure, million in counts[:1]:  # the first is the model's own, later ones the paper's
        assert figure == (f"{cost / 1e6:.2f}" if million else f"{cost:,}")


def test_costs_are_ratios_to_their_peer():
    costs = record("costs")
    peer = costs["systems"][costs["peer"]]["seconds_per_minute"]
    for name, cost in costs["systems"].items():
        assert cost["ratio"] == pytest.approx(cost["seconds_per_minute"] / peer), name


@pytest.mark.parametrize("model", CARDS)
def test_costs_are_of_the_separator_that_comes_with_the_package(model):
    """Weights or a filter that have changed since cost something else: measure them again."""
    told = record("costs")["systems"][model]
    files = sorted((PRETRAINED / model).glob("*.safetensors"))
    content = b"".join(file.read_bytes() for file in files)
    assert told["sha256"] == hashlib.sha256(content).hexdigest()[:16]
    behind = Separator.from_pretrained(model, "cpu").filter
    assert told.get("filter") == (asdict(behind) if behind else None)
