"""Answers to A5: some right, each written in its own way, and some wrong, as students write them.

RIGHT: name -> the cells that differ from the solution. WRONG: name -> (the cells that differ, the
tests that must fail for it, and no others). Only the solution itself makes the clips and draws.
"""

RIGHT = {
    "the solution": {},
    "everything in loops": {
        "frames": """
def frame_sdr(reference, estimate, rate):
    scores = []
    start = 0
    while start + rate <= len(reference[0]):
        energy = error = 0.0
        for s_row, y_row in zip(reference, estimate):
            for n in range(start, start + rate):
                energy += float(s_row[n]) ** 2
                error += (float(s_row[n]) - float(y_row[n])) ** 2
        if energy == 0:
            scores.append(float("nan"))
        elif error == 0:
            scores.append(float("inf"))
        else:
            scores.append(10 * np.log10(energy / error))
        start += rate
    return np.array(scores)
""",
        "aggregate": """
def aggregate(songs):
    def middle(values):
        values = sorted(v for v in values if v == v)
        n = len(values)
        if n == 0:
            return float("nan")
        if n % 2:
            return values[n // 2]
        return (values[n // 2 - 1] + values[n // 2]) / 2

    return middle([middle(song) for song in songs])
""",
        "si-sdr": """
import math

def si_sdr(reference, estimate):
    cross = own = other = 0.0
    for s_row, y_row in zip(reference, estimate):
        for s, y in zip(s_row, y_row):
            cross += float(s) * float(y)
            own += float(s) ** 2
            other += float(y) ** 2
    if own == 0 or other == 0:
        return math.nan
    target = cross**2 / own  # by Pythagoras
    rest = other - target
    return 10 * math.log10(target / rest) if rest > 1e-15 * other else math.inf
""",
        "project": """
def project(references, signal, taps):
    size = len(signal) + taps - 1
    rows = []
    for source in references:
        for delay in range(taps):
            row = [0.0] * size
            for n, value in enumerate(source):
                row[n + delay] = value
            rows.append(row)
    matrix = np.array(rows).T
    padded = np.array(list(signal) + [0.0] * (taps - 1))
    return matrix @ np.linalg.lstsq(matrix, padded, rcond=None)[0]
""",
        "level": """
def match_level(sound, model):
    def rms(x):
        total = 0.0
        for row in x:
            for value in row:
                total += float(value) ** 2
        return (total / x.size) ** 0.5
    have = rms(sound)
    if have == 0:
        return 0.0 * sound
    return sound * rms(model) / have
""",
        "p-value": """
def p_value(correct, trials):
    chances = [1.0]
    for _ in range(trials):
        longer = [0.0] * (len(chances) + 1)
        for k, chance in enumerate(chances):
            longer[k] += chance / 2
            longer[k + 1] += chance / 2
        chances = longer
    total = 0.0
    for k in range(correct, trials + 1):
        total += chances[k]
    return total
""",
        "trials": """
import math

def trials_needed(ability, power, level):
    for n in range(1, 10000):
        needed = None
        for k in range(n + 1):
            if p_value(k, n) <= level:
                needed = k
                break
        if needed is None:
            continue
        chance = 0.0
        for k in range(needed, n + 1):
            chance += math.comb(n, k) * ability**k * (1 - ability) ** (n - k)
        if chance >= power:
            return n
""",
        "interval": """
import random
import statistics

def median_interval(values, level, draws, seed):
    kept = [float(v) for v in values if v == v]
    dice = random.Random(seed)
    medians = []
    for _ in range(draws):
        medians.append(statistics.median(dice.choices(kept, k=len(kept))))
    medians.sort()
    low = medians[round((1 - level) / 2 * (draws - 1))]
    high = medians[round((1 + level) / 2 * (draws - 1))]
    return low, high
""",
    },
    "frames as an axis": {
        "frames": """
def frame_sdr(reference, estimate, rate):
    channels, samples = reference.shape
    count = samples // rate

    def energies(x):
        x = x[:, : count * rate].astype(np.float64).reshape(channels, count, rate)
        return np.einsum("cfn,cfn->f", x, x)

    good, bad = energies(reference), energies(reference - estimate)
    sdr = np.full(count, np.nan)
    heard = good > 0
    with np.errstate(divide="ignore"):
        sdr[heard] = 10 * (np.log10(good[heard]) - np.log10(bad[heard]))
    return sdr
""",
        "aggregate": """
import warnings

def aggregate(songs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.nanmedian([np.nanmedian(song) for song in songs])
""",
        "interval": """
def median_interval(values, level, draws, seed):
    values = values[np.isfinite(values)]
    rng = np.random.RandomState(seed)
    picked = rng.randint(0, len(values), size=(len(values), draws))
    medians = np.median(values[picked], axis=0)
    ends = np.percentile(medians, [50 * (1 - level), 50 * (1 + level)], method="nearest")
    return tuple(ends)
""",
    },
    "torch throughout": {
        "frames": """
def frame_sdr(reference, estimate, rate):
    s = torch.tensor(reference).double()
    e = torch.tensor(estimate).double() - s
    count = s.shape[1] // rate
    good, bad = (x[:, : count * rate].unflatten(1, (count, rate)).square().sum((0, 2))
                 for x in (s, e))
    return torch.where(good == 0, torch.nan, 10 * torch.log10(good / bad))
""",
        "aggregate": """
def aggregate(songs):
    found = [torch.tensor(song).quantile(0.5) for song in
             (np.asarray(s)[~np.isnan(s)] for s in songs) if len(song)]
    return torch.stack(found).quantile(0.5).item() if found else float("nan")
""",
        "si-sdr": """
def si_sdr(reference, estimate):
    s, y = (torch.tensor(x, dtype=torch.float64).flatten() for x in (reference, estimate))
    alpha = torch.dot(y, s) / torch.dot(s, s)
    return 10 * torch.log10((alpha * s).square().sum() / (y - alpha * s).square().sum())
""",
        "project": """
def project(references, signal, taps):
    s = torch.tensor(np.asarray(references, dtype=np.float64))
    y = torch.nn.functional.pad(torch.tensor(np.asarray(signal, dtype=np.float64)), (0, taps - 1))
    wide = torch.nn.functional.pad(s, (taps - 1, taps - 1))
    columns = wide.unfold(1, taps, 1).transpose(0, 1).flatten(1)  # samples + taps - 1, all taps
    filters = torch.linalg.lstsq(columns, y[:, None], driver="gelsd").solution
    return (columns @ filters)[:, 0]
""",
        "decompose": """
def decompose(references, index, estimate, taps):
    s, y = (torch.nn.functional.pad(torch.tensor(x), (0, taps - 1))
            for x in (references[index], estimate))
    own = project(references[index : index + 1], estimate, taps)
    both = project(references, estimate, taps)
    return s, own - s, both - own, y - both
""",
        "ratios": """
def ratios(source, distortion, interference, artefacts):
    s, d, i, a = (torch.tensor(np.asarray(x, dtype=np.float64))
                  for x in (source, distortion, interference, artefacts))
    pairs = [(s, d + i + a), (s + d, i), (s + d + i, a)]
    return tuple(10 * torch.log10(g.square().sum() / b.square().sum()) for g, b in pairs)
""",
        "level": """
def match_level(sound, model):
    x, y = torch.tensor(sound), torch.tensor(model)
    gain = y.square().mean().sqrt() / x.square().mean().sqrt().clamp(min=1e-30)
    return gain * x
""",
        "p-value": """
def p_value(correct, trials):
    k = torch.arange(correct, trials + 1, dtype=torch.float64)
    n = torch.tensor(float(trials), dtype=torch.float64)
    logs = torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
    return (logs - n * np.log(2)).exp().sum().item()
""",
        "interval": """
def median_interval(values, level, draws, seed):
    values = torch.tensor(np.asarray(values))
    values = values[~values.isnan()]
    generator = torch.Generator().manual_seed(seed)
    picked = torch.randint(len(values), (draws, len(values)), generator=generator)
    medians = values[picked].quantile(0.5, dim=1)
    return medians.quantile((1 - level) / 2), medians.quantile((1 + level) / 2)
""",
    },
    "SciPy's distributions": {
        "p-value": """
from scipy.stats import binomtest

def p_value(correct, trials):
    return binomtest(correct, trials, alternative="greater").pvalue
""",
        "trials": """
from scipy.stats import binom

def trials_needed(ability, power, level):
    n = 0
    while True:
        n += 1
        k = np.arange(n + 2)
        needed = k[binom.sf(k - 1, n, 0.5) <= level][0]
        if binom.sf(needed - 1, n, ability) >= power:
            return n
""",
        "interval": """
from scipy.stats import bootstrap

def median_interval(values, level, draws, seed):
    values = values[~np.isnan(values)]
    ci = bootstrap((values,), np.median, n_resamples=draws, confidence_level=level,
                   method="percentile", random_state=np.random.default_rng(seed))
    return ci.confidence_interval.low, ci.confidence_interval.high
""",
        "project": """
from scipy.linalg import convolution_matrix, pinv

def project(references, signal, taps):
    columns = np.hstack([convolution_matrix(source, taps) for source in references])
    return columns @ (pinv(columns) @ np.append(signal, np.zeros(taps - 1)))
""",
    },
    "one minus the cumulative": {
        "p-value": """
from scipy.stats import binom

def p_value(correct, trials):
    return 1 - binom.cdf(correct - 1, trials, 0.5)
""",
        "trials": """
from scipy.stats import binom

def trials_needed(ability, power, level):
    for n in range(1, 5000):
        needed = next((k for k in range(n + 1) if 1 - binom.cdf(k - 1, n, 0.5) <= level), n + 1)
        if 1 - binom.cdf(needed - 1, n, ability) >= power:
            return n
""",
    },
    "correlations and Toeplitz": {
        "project": """
from scipy.linalg import toeplitz
from scipy.signal import fftconvolve

def project(references, signal, taps):
    kept = [np.asarray(s, float) for s in references if np.any(s)]

    def correlation(a, b):  # sum of a[n] b[n + lag], lag -(taps - 1) ... taps - 1
        whole = fftconvolve(b, a[::-1])
        zero = len(a) - 1
        return whole[zero - taps + 1 : zero + taps]

    lag0 = taps - 1
    gram = [[None] * len(kept) for _ in kept]
    for p, a in enumerate(kept):
        for q, b in enumerate(kept):
            r = correlation(b, a)
            gram[p][q] = toeplitz(r[lag0::-1], r[lag0:])
    right = np.concatenate([correlation(a, signal)[lag0:] for a in kept])
    filters = np.linalg.solve(np.block(gram), right).reshape(len(kept), taps)
    return sum(fftconvolve(a, h) for a, h in zip(kept, filters))
""",
        "decompose": """
def decompose(references, index, estimate, taps):
    estimate_padded = np.concatenate([estimate, np.zeros(taps - 1)])
    source = np.concatenate([references[index], np.zeros(taps - 1)])
    order = [index] + [i for i in range(len(references)) if i != index]
    alone = np.asarray(project(references[[index]], estimate, taps))
    together = np.asarray(project(references[order], estimate, taps))
    artefacts = estimate_padded - together
    interference = together - alone
    return [source, estimate_padded - source - interference - artefacts, interference, artefacts]
""",
    },
    "an orthonormal basis": {
        "project": """
def project(references, signal, taps):
    samples = references.shape[1]
    padded = np.r_[signal, np.zeros(taps - 1)]
    basis = []
    for source in references:
        if not source.any():
            continue
        for delay in range(taps):
            basis.append(np.r_[np.zeros(delay), source, np.zeros(taps - 1 - delay)])
    q, _ = np.linalg.qr(np.stack(basis, axis=1))
    assert len(q) == samples + taps - 1
    return q @ (q.T @ padded)
""",
        "si-sdr": """
def si_sdr(reference, estimate):
    if np.linalg.norm(reference) == 0 or np.linalg.norm(estimate) == 0:
        return float("nan")
    unit = reference / np.linalg.norm(reference)
    along = (unit * estimate).sum()
    across = np.linalg.norm(estimate - along * unit)
    return 20 * np.log10(abs(along) / across)
""",
        "ratios": """
def ratios(source, distortion, interference, artefacts):
    # 20 log10 is right for norms
    n = np.linalg.norm
    with np.errstate(divide="ignore"):
        sdr = 20 * np.log10(n(source) / n(distortion + interference + artefacts))
        sir = 20 * np.log10(n(source + distortion) / n(interference))
        sar = 20 * np.log10(n(source + distortion + interference) / n(artefacts))
    return np.array([sdr, sir, sar])
""",
    },
    "a tiny ridge": {
        "project": """
def project(references, signal, taps):
    padded = np.pad(references, ((0, 0), (0, taps - 1)))
    D = np.concatenate([np.roll(padded, k, axis=1) for k in range(taps)])
    G = D @ D.T
    G += 1e-9 * np.trace(G) / len(G) * np.eye(len(G))
    return np.linalg.solve(G, D @ np.pad(signal, (0, taps - 1))) @ D
""",
    },
    "the estimate scaled instead, by the same gain": {
        "si-sdr": """
def si_sdr(reference, estimate):
    gain = (reference * estimate).sum() / (reference**2).sum()
    fitted = estimate / gain  # the same ratio as with gain * reference
    return 10 * np.log10((reference**2).sum() / ((fitted - reference) ** 2).sum())
""",
        "decompose": """
def decompose(references, index, estimate, taps):
    tail = np.zeros(taps - 1)
    parts = {"source": np.append(references[index], tail)}
    so_far = parts["source"]
    for name, some in {"distortion": [index], "interference": slice(None)}.items():
        now = project(references=references[some], signal=estimate, taps=taps)
        parts[name] = np.array(now) - so_far
        so_far = so_far + parts[name]
    parts["artefacts"] = np.append(estimate, tail) - so_far
    return np.stack(list(parts.values()))
""",
        "level": """
def match_level(sound, model):
    energy = np.vdot(sound, sound) / sound.size
    if not energy:
        return np.zeros_like(sound)
    decibels = 10 * np.log10(np.vdot(model, model) / model.size / energy)
    return sound * 10 ** (decibels / 20)
""",
    },
    "helpers of their own": {
        "frames": """
def energy(x):
    return float((np.asarray(x, dtype=np.float64) ** 2).sum())

def frame_sdr(reference, estimate, rate):
    chunks = lambda x: [x[:, n : n + rate] for n in range(0, x.shape[1] - rate + 1, rate)]
    def one(s, y):
        if energy(s) == 0:
            return np.nan
        return np.inf if energy(s - y) == 0 else 10 * np.log10(energy(s) / energy(s - y))
    return np.array([one(s, y) for s, y in zip(chunks(reference), chunks(estimate))])
""",
        "ratios": """
def ratios(source, distortion, interference, artefacts):
    result, so_far = [], source
    for error in (distortion + interference + artefacts, interference, artefacts):
        if len(result) == 1:
            so_far = source + distortion
        if len(result) == 2:
            so_far = so_far + interference
        noise = energy(error)
        result.append(10 * np.log10(energy(so_far) / noise) if noise > 0 else np.inf)
    return tuple(result)
""",
    },
    "decompose without project": {
        "project": """
def project(references, signal, taps):
    return projector(references, len(signal), taps) @ np.pad(signal, (0, taps - 1))

def projector(references, samples, taps):
    D = np.zeros((samples + taps - 1, len(references), taps))
    for delay in range(taps):
        D[delay : delay + samples, :, delay] = references.T
    D = D.reshape(len(D), -1)
    return D @ np.linalg.pinv(D)
""",
        "decompose": """
def decompose(references, index, estimate, taps):
    P_own = projector(references[index : index + 1], len(estimate), taps)
    P_all = projector(references, len(estimate), taps)
    s, y = (np.pad(x, (0, taps - 1)) for x in (references[index], estimate))
    return s, P_own @ y - s, (P_all - P_own) @ y, y - P_all @ y
""",
    },
}


def _sdr(energy="s**2", error="(y - s) ** 2", log="10 * np.log10", start="", guard="s.any()"):
    return {
        "frames": f"""
def frame_sdr(reference, estimate, rate):
    {start or "pass"}
    scores = []
    for f in range(reference.shape[1] // rate):
        s = reference[:, f * rate : (f + 1) * rate].astype(float)
        y = estimate[:, f * rate : (f + 1) * rate].astype(float)
        ratio = np.sum({energy}) / np.sum({error})
        scores.append({log}(ratio) if {guard} else np.nan)
    return np.array(scores)
"""
    }


def _project(start="0", stop="taps", end="samples + taps - 1", fit="", row=""):
    row = row or "np.r_[np.zeros(k), s, np.zeros(taps)][:size]"
    fit = fit or "D.T @ np.linalg.lstsq(D.T, y, rcond=None)[0]"
    return {
        "project": f"""
def project(references, signal, taps):
    samples = references.shape[1]
    size = {end}
    D = np.array([{row} for s in references for k in range({start}, {stop})])
    y = np.r_[signal, np.zeros(taps)][:size]
    return {fit}
"""
    }


def _decompose(which="index", parts="s, own - s, both - own, y - both", rest="references"):
    return {
        "decompose": f"""
def decompose(references, index, estimate, taps):
    i = {which}
    s, y = np.pad(references[i], (0, taps - 1)), np.pad(estimate, (0, taps - 1))
    own = np.asarray(project(references[i : i + 1], estimate, taps))
    both = np.asarray(project({rest}, estimate, taps))
    return {parts}
"""
    }


def _ratios(sdr="(s, d + i + a)", sir="(s + d, i)", sar="(s + d + i, a)", order="SDR, SIR, SAR",
            log="10 * np.log10(np.sum(g**2) / np.sum(b**2))"):  # fmt: skip
    return {
        "ratios": f"""
def ratios(source, distortion, interference, artefacts):
    s, d, i, a = source, distortion, interference, artefacts
    def dB(g, b):
        return {log}
    SDR, SIR, SAR = dB(*{sdr}), dB(*{sir}), dB(*{sar})
    return {order}
"""
    }


def _p(value):
    return {
        "p-value": f"""
from scipy.stats import binom, binomtest, norm

def p_value(correct, trials):
    return {value}
"""
    }


def _trials(needed="next((k for k in all if tail(k, n, 0.5) <= level), n + 1)",
            chance="tail(needed, n, ability)", first="1", step="1"):  # fmt: skip
    return {
        "trials": f"""
from scipy.stats import binom, norm

def trials_needed(ability, power, level):
    tail = lambda k, n, p: binom.sf(k - 1, n, p)
    for n in range({first}, 100, {step}):
        all = range(n + 1)
        needed = {needed}
        if {chance} >= power:
            return n
"""
    }


def _interval(clean="values[~np.isnan(values)]", rng="np.random.default_rng(seed)",
              sample="rng.choice(v, (draws, len(v)))", what="np.median(drawn, axis=1)",
              ends="np.quantile(m, [(1 - level) / 2, (1 + level) / 2])"):  # fmt: skip
    return {
        "interval": f"""
def median_interval(values, level, draws, seed):
    v = {clean}
    rng = {rng}
    drawn = {sample}
    m = {what}
    return tuple({ends})
"""
    }


WRONG = {
    # 1.1
    "20 log of energies": (_sdr(log="20 * np.log10"), {"frames-test"}),
    "upside down": (_sdr(energy="(y - s) ** 2", error="s**2"), {"frames-test"}),
    "the estimate above": (_sdr(energy="y**2"), {"frames-test"}),
    "channels averaged before the energy": (
        _sdr(energy="s.mean(0) ** 2", error="(y - s).mean(0) ** 2"), {"frames-test"},
    ),
    "the mean of the channels' SDRs": (
        {"frames": """
def frame_sdr(reference, estimate, rate):
    count = reference.shape[1] // rate
    s = reference[:, : count * rate].reshape(-1, count, rate)
    e = estimate[:, : count * rate].reshape(-1, count, rate) - s
    return np.mean(10 * np.log10((s**2).sum(2) / (e**2).sum(2)), axis=0)
"""},
        {"frames-test"},
    ),
    "the first channel only": (
        _sdr(energy="s[0] ** 2", error="(y - s)[0] ** 2"), {"frames-test"},
    ),
    "amplitudes for energies": (_sdr(energy="abs(s)", error="abs(y - s)"), {"frames-test"}),
    "a small number for safety": (
        {"frames": """
def frame_sdr(reference, estimate, rate):
    scores = []
    for f in range(reference.shape[1] // rate):
        s = reference[:, f * rate : (f + 1) * rate]
        e = estimate[:, f * rate : (f + 1) * rate] - s
        sdr = 10 * np.log10((np.sum(s**2) + 1e-7) / (np.sum(e**2) + 1e-7))
        scores.append(sdr if s.any() else np.nan)
    return np.array(scores)
"""},
        {"frames-test"},
    ),
    "silence is zero": (
        {"frames": _sdr()["frames"].replace("else np.nan", "else 0.0")}, {"frames-test"},
    ),
    "minus infinity for silence": (_sdr(guard="True"), {"frames-test"}),
    "silent as museval's sum of channels": (_sdr(guard="s.sum(0).any()"), {"frames-test"}),
    "silent where any channel is": (_sdr(guard="s.any(1).all()"), {"frames-test"}),
    "a silent estimate is NaN too": (_sdr(guard="s.any() and y.any()"), {"frames-test"}),
    "one frame too many": (
        {"frames": _sdr()["frames"].replace("reference.shape[1] // rate",
                                            "-(-reference.shape[1] // rate)")},
        {"frames-test"},
    ),
    "one frame too few": (
        {"frames": _sdr()["frames"].replace("reference.shape[1] // rate",
                                            "(reference.shape[1] - 1) // rate")},
        {"frames-test"},
    ),
    "frames that overlap": (
        {"frames": """
def frame_sdr(reference, estimate, rate):
    scores = []
    for start in range(0, reference.shape[1] - rate + 1, rate // 2):
        s = reference[:, start : start + rate]
        e = estimate[:, start : start + rate] - s
        scores.append(10 * np.log10(np.sum(s**2) / np.sum(e**2)) if s.any() else np.nan)
    return np.array(scores)
"""},
        {"frames-test"},
    ),
    "the rate by heart": (_sdr(start="rate = 100"), {"frames-test"}),
    "the visible answer": (
        {"frames": """
def frame_sdr(reference, estimate, rate):
    scores = np.full(reference.shape[1] // rate, 20.0)
    scores[[not reference[:, f * rate : (f + 1) * rate].any() for f in range(len(scores))]] = np.nan
    return scores
"""},
        {"frames-test"},
    ),
    "the estimate is changed": (_sdr(start="estimate -= 0.5 * reference"), {"frames-test"}),
    # 1.2
    "the mean over frames": (
        {"aggregate": """
def aggregate(songs):
    return np.nanmedian([np.nanmean(song) for song in songs])
"""},
        {"aggregate-test"},
    ),
    "the mean over songs": (
        {"aggregate": """
def aggregate(songs):
    return np.nanmean([np.nanmedian(song) for song in songs])
"""},
        {"aggregate-test"},
    ),
    "all frames in one pot": (
        {"aggregate": """
def aggregate(songs):
    return np.nanmedian(np.concatenate(songs))
"""},
        {"aggregate-test"},
    ),
    "NaN counted as zero": (
        {"aggregate": """
def aggregate(songs):
    return np.median([np.median(np.nan_to_num(song)) for song in songs])
"""},
        {"aggregate-test"},
    ),
    "a song of NaN spoils all": (
        {"aggregate": """
def aggregate(songs):
    return np.median([np.nanmedian(song) for song in songs])
"""},
        {"aggregate-test"},
    ),
    "a song of NaN counts as zero": (
        {"aggregate": """
def aggregate(songs):
    return np.median(np.nan_to_num([np.nanmedian(song) for song in songs]))
"""},
        {"aggregate-test"},
    ),
    "the upper of two middles": (
        {"aggregate": """
def aggregate(songs):
    def middle(x):
        x = sorted(v for v in x if not np.isnan(v))
        return x[len(x) // 2] if x else np.nan
    return middle([middle(song) for song in songs])
"""},
        {"aggregate-test"},
    ),
    "songs first, frames second": (
        {"aggregate": """
def aggregate(songs):
    longest = max(map(len, songs))
    padded = [np.r_[song, np.full(longest - len(song), np.nan)] for song in songs]
    return np.nanmedian(np.nanmedian(padded, axis=0))
"""},
        {"aggregate-test"},
    ),
    # 1.3
    "SI-SDR without the scale": (
        {"si-sdr": """
def si_sdr(reference, estimate):
    return 10 * np.log10(np.sum(reference**2) / np.sum((estimate - reference) ** 2))
"""},
        {"si-sdr-test"},
    ),
    "the scale on the wrong side": (
        {"si-sdr": """
def si_sdr(reference, estimate):
    fitted = np.sum(reference * estimate) / np.sum(estimate**2) * estimate
    return 10 * np.log10(np.sum(reference**2) / np.sum((reference - fitted) ** 2))
"""},
        {"si-sdr-test"},
    ),
    "the scale only in the denominator": (
        {"si-sdr": """
def si_sdr(reference, estimate):
    a = np.sum(reference * estimate) / np.sum(reference**2)
    return 10 * np.log10(np.sum(reference**2) / np.sum((estimate - a * reference) ** 2))
"""},
        {"si-sdr-test"},
    ),
    "the level matched instead of projected": (
        {"si-sdr": """
def si_sdr(reference, estimate):
    a = np.sqrt(np.sum(estimate**2) / np.sum(reference**2))
    return 10 * np.log10(np.sum((a * reference) ** 2) / np.sum((estimate - a * reference) ** 2))
"""},
        {"si-sdr-test"},
    ),
    "a gain for each channel": (
        {"si-sdr": """
def si_sdr(reference, estimate):
    a = (reference * estimate).sum(1, keepdims=True) / (reference**2).sum(1, keepdims=True)
    return 10 * np.log10(np.sum((a * reference) ** 2) / np.sum((estimate - a * reference) ** 2))
"""},
        {"si-sdr-test"},
    ),
    "the mean subtracted": (
        {"si-sdr": """
def si_sdr(reference, estimate):
    s = reference - reference.mean(1, keepdims=True)
    y = estimate - estimate.mean(1, keepdims=True)
    t = np.sum(s * y) / np.sum(s * s) * s
    return 10 * np.log10(np.sum(t**2) / np.sum((y - t) ** 2))
"""},
        {"si-sdr-test"},
    ),
    "SI-SDR of silence is zero": (
        {"si-sdr": """
def si_sdr(reference, estimate):
    if not reference.any() or not estimate.any():
        return 0.0
    t = np.sum(reference * estimate) / np.sum(reference**2) * reference
    return 10 * np.log10(np.sum(t**2) / np.sum((estimate - t) ** 2))
"""},
        {"si-sdr-test"},
    ),
    "20 log in SI-SDR": (
        {"si-sdr": """
def si_sdr(reference, estimate):
    t = np.sum(reference * estimate) / np.sum(reference**2) * reference
    return 20 * np.log10(np.sum(t**2) / np.sum((estimate - t) ** 2))
"""},
        {"si-sdr-test"},
    ),
    # 2.1
    "no lag zero": (_project("1", "taps + 1"), {"project-test"}),
    "one tap too many": (_project("0", "taps + 1"), {"project-test"}),
    "one tap too few": (_project("0", "taps - 1"), {"project-test"}),
    "the filter looks ahead": (
        _project(row="np.r_[s[k:], np.zeros(taps + k)][:size]"), {"project-test"},
    ),
    "lags on both sides": (
        _project("1 - taps", row="np.r_[np.zeros(max(k, 0)), s[max(-k, 0):], "
                 "np.zeros(2 * taps)][:size]"),
        {"project-test"},
    ),
    "shifts that wrap around": (
        {"project": """
def project(references, signal, taps):
    D = np.array([np.roll(s, k) for s in references for k in range(taps)])
    p = D.T @ np.linalg.lstsq(D.T, signal, rcond=None)[0]
    return np.pad(p, (0, taps - 1))
"""},
        {"project-test"},
    ),
    "the tail is cut off": (_project(end="samples"), {"project-test"}),
    "the tail is cut off, then filled with zeros": (
        _project(end="samples", fit="np.pad(D.T @ np.linalg.lstsq(D.T, y, rcond=None)[0], "
                 "(0, taps - 1))"),
        {"project-test"},
    ),
    "correlations without their matrix": (
        _project(fit="D.T @ (D @ y / np.sum(D**2, axis=1))"), {"project-test"},
    ),
    "one source after the other": (
        {"project": """
def project(references, signal, taps):
    y = np.pad(signal, (0, taps - 1))
    total = np.zeros(len(y))
    for s in references:
        D = np.array([np.r_[np.zeros(k), s, np.zeros(taps - 1 - k)] for k in range(taps)]).T
        total += D @ np.linalg.lstsq(D, y, rcond=None)[0]
    return total
"""},
        {"project-test"},
    ),
    "the reference onto the signal": (
        {"project": """
def project(references, signal, taps):
    D = np.array([np.r_[np.zeros(k), signal, np.zeros(taps - 1 - k)] for k in range(taps)]).T
    y = np.pad(references.sum(0), (0, taps - 1))
    return D @ np.linalg.lstsq(D, y, rcond=None)[0]
"""},
        {"project-test"},
    ),
    "stops at a silent reference": (
        _project(fit="np.linalg.solve(D @ D.T, D @ y) @ D"), {"project-test"},
    ),
    "what is left over instead": (
        _project(fit="y - D.T @ np.linalg.lstsq(D.T, y, rcond=None)[0]"), {"project-test"},
    ),
    "32 taps by heart": (
        {"project": _project()["project"].replace(
            "    samples", "    samples_out, taps = len(signal) + taps - 1, 32\n    samples", 1
        ).replace("[0]\n", "[0][:samples_out]\n")},
        {"project-test"},
    ),  # fmt: skip
    "projections that leave nothing out": (
        {"project": """
def project(references, signal, taps):
    return np.pad(signal, (0, taps - 1))
"""},
        {"project-test"},
    ),
    # 2.2
    "always the first source": (_decompose("0"), {"decompose-test"}),
    "the others only": (
        _decompose(rest="np.delete(references, i, axis=0)", parts="s, own - s, both, y - both"),
        {"decompose-test"},
    ),
    "distortion with the source in it": (
        _decompose(parts="s, own, both - own, y - both"), {"decompose-test"},
    ),
    "interference with the distortion in it": (
        _decompose(parts="s, own - s, both - s, y - both"), {"decompose-test"},
    ),
    "interference and artefacts exchanged": (
        _decompose(parts="s, own - s, y - both, both - own"), {"decompose-test"},
    ),
    "artefacts are all errors": (
        _decompose(parts="s, own - s, both - own, y - s"), {"decompose-test"},
    ),
    "the projected source as the source": (
        _decompose(parts="own, 0 * s, both - own, y - both"), {"decompose-test"},
    ),
    "the padding forgotten": (
        _decompose(parts="tuple(x[: len(estimate)] for x in (s, own - s, both - own, y - both))"),
        {"decompose-test"},
    ),
    # 2.3
    "SIR and SAR exchanged": (_ratios(order="SDR, SAR, SIR"), {"ratios-test"}),
    "SIR of the bare source": (_ratios(sir="(s, i)"), {"ratios-test"}),
    "SAR of the bare source": (_ratios(sar="(s, a)"), {"ratios-test"}),
    "SAR without the interference": (_ratios(sar="(s + d, a)"), {"ratios-test"}),
    "SDR without the distortion": (_ratios(sdr="(s, i + a)"), {"ratios-test"}),
    "20 log in the ratios": (
        _ratios(log="20 * np.log10(np.sum(g**2) / np.sum(b**2))"), {"ratios-test"},
    ),
    "energies summed, not signals": (
        {"ratios": """
def ratios(source, distortion, interference, artefacts):
    s, d, i, a = (np.sum(x**2) for x in (source, distortion, interference, artefacts))
    return tuple(10 * np.log10(x) for x in (s / (d + i + a), (s + d) / i, (s + d + i) / a))
"""},
        {"ratios-test"},
    ),
    "no infinity": (
        _ratios(log="10 * np.log10(np.sum(g**2) / (np.sum(b**2) + 1e-12))"), {"ratios-test"},
    ),
    # 3.1
    "the gain inverse": (
        {"level": """
def match_level(sound, model):
    return sound * np.sqrt(np.mean(sound**2) / np.mean(model**2))
"""},
        {"level-test"},
    ),
    "energies matched, not levels": (
        {"level": """
def match_level(sound, model):
    return sound * np.sqrt(np.sum(model**2) / max(np.sum(sound**2), 1e-30))
"""},
        {"level-test"},
    ),
    "the square forgotten": (
        {"level": """
def match_level(sound, model):
    return sound * np.mean(model**2) / max(np.mean(sound**2), 1e-30)
"""},
        {"level-test"},
    ),
    "peaks matched": (
        {"level": """
def match_level(sound, model):
    return sound * np.abs(model).max() / max(np.abs(sound).max(), 1e-30)
"""},
        {"level-test"},
    ),
    "each channel for itself": (
        {"level": """
def match_level(sound, model):
    have = np.sqrt(np.mean(sound**2, axis=1, keepdims=True))
    return sound * np.sqrt(np.mean(model**2)) / np.maximum(have, 1e-30)
"""},
        {"level-test"},
    ),
    "silence divided by zero": (
        {"level": """
def match_level(sound, model):
    return sound * np.sqrt(np.mean(model**2) / np.mean(sound**2))
"""},
        {"level-test"},
    ),
    "changed in place": (
        {"level": """
def match_level(sound, model):
    sound *= np.sqrt(np.mean(model**2)) / max(np.sqrt(np.mean(sound**2)), 1e-30)
    return sound
"""},
        {"level-test"},
    ),
    # 3.2
    "exactly as many": (_p("binom.pmf(correct, trials, 0.5)"), {"p-value-test"}),
    "more, but not as many": (_p("binom.sf(correct, trials, 0.5)"), {"p-value-test"}),
    "as many or fewer": (_p("binom.cdf(correct, trials, 0.5)"), {"p-value-test"}),
    "two-sided": (_p("binomtest(correct, trials).pvalue"), {"p-value-test"}),
    "two-sided by doubling": (
        _p("min(1.0, 2 * binom.sf(correct - 1, trials, 0.5))"), {"p-value-test"},
    ),
    "every order has the same chance": (_p("0.5**correct"), {"p-value-test"}),
    "the normal distribution": (
        _p("norm.sf((correct - 0.5 - trials / 2) / (0.25 * trials) ** 0.5)"), {"p-value-test"},
    ),
    # 3.3
    "power by exactly the number needed": (
        _trials(chance="binom.pmf(needed, n, ability)"), {"trials-test"},
    ),
    "one right answer too many": (
        _trials(needed="next((k for k in all if tail(k, n, 0.5) <= level), n + 1) + 1"),
        {"trials-test"},
    ),
    "one right answer too few": (
        _trials(needed="next((k for k in all if tail(k + 1, n, 0.5) <= level), n + 1)"),
        {"trials-test"},
    ),
    "a two-sided level": (_trials(needed="next((k for k in all if tail(k, n, 0.5) <= level / 2), "
                                  "n + 1)"), {"trials-test"}),
    "5 % by heart": (_trials(needed="next((k for k in all if tail(k, n, 0.5) <= 0.05), n + 1)"),
                     {"trials-test"}),
    "80 % by heart": (
        {"trials": _trials()["trials"].replace(">= power", ">= 0.8")}, {"trials-test"},
    ),
    "the listener guesses": (_trials(chance="tail(needed, n, 0.5)"), {"trials-test"}),
    "only the expected score must convince": (
        _trials(chance="(power if round(ability * n) >= needed else 0)"), {"trials-test"},
    ),
    "in steps of five": (_trials(first="5", step="5"), {"trials-test"}),
    "halving, as if power only grew": (
        {"trials": """
from scipy.stats import binom

def trials_needed(ability, power, level):
    def has(n):
        needed = next((k for k in range(n + 1) if binom.sf(k - 1, n, 0.5) <= level), n + 1)
        return binom.sf(needed - 1, n, ability) >= power
    low, high = 1, 100
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if has(middle) else (middle + 1, high)
    return low
"""},
        {"trials-test"},
    ),
    "the first from which on it always suffices": (
        {"trials": """
from scipy.stats import binom

def trials_needed(ability, power, level):
    def has(n):
        needed = next((k for k in range(n + 1) if binom.sf(k - 1, n, 0.5) <= level), n + 1)
        return binom.sf(needed - 1, n, ability) >= power
    n = 100
    while n > 0 and has(n):
        n -= 1
    return n + 1
"""},
        {"trials-test"},
    ),
    "the textbook's normal formula": (
        {"trials": """
from scipy.stats import norm

def trials_needed(ability, power, level):
    spread = norm.isf(level) * 0.5 + norm.isf(1 - power) * (ability * (1 - ability)) ** 0.5
    return max(int(np.ceil((spread / (ability - 0.5)) ** 2)), 5)
"""},
        {"trials-test"},
    ),
    # 3.4
    "without replacement": (
        _interval(sample="np.array([rng.permutation(v) for _ in range(draws)])"),
        {"interval-test"},
    ),
    "half of them, without replacement": (
        _interval(sample="np.array([rng.permutation(v)[: len(v) // 2] for _ in range(draws)])"),
        {"interval-test"},
    ),
    "the bootstrap of the mean": (_interval(what="drawn.mean(axis=1)"), {"interval-test"}),
    "the quantiles of the values": (_interval(what="v"), {"interval-test"}),
    "5 % on either side": (
        _interval(ends="np.quantile(m, [1 - level, level])"), {"interval-test"},
    ),
    "95 % by heart": (_interval(ends="np.quantile(m, [0.025, 0.975])"), {"interval-test"}),
    "all of the medians": (_interval(ends="(m.min(), m.max())"), {"interval-test"}),
    "a normal interval around the median": (
        _interval(ends="np.median(v) + m.std() * np.array([-1.96, 1.96])"), {"interval-test"},
    ),
    "NaN as zero": (_interval(clean="np.nan_to_num(values)"), {"interval-test"}),
    "NaN spoils the interval": (_interval(clean="values"), {"interval-test"}),
    "a draw for each NaN as well": (
        _interval(sample="rng.choice(v, (draws, 3 * len(v)))"), {"interval-test"},
    ),
    "no seed": (_interval(rng="np.random.default_rng()"), {"interval-test"}),
    "the same seed for all": (_interval(rng="np.random.default_rng(0)"), {"interval-test"}),
    "draws by heart": (
        _interval(sample="rng.choice(v, (1000, len(v)))"), {"interval-test"},
    ),
    # Errors that must cost their own points only.
    "a wrong projection and a wrong p-value": (
        _project("1", "taps + 1") | _p("binom.pmf(correct, trials, 0.5)"),
        {"project-test", "p-value-test"},
    ),
    "a wrong projection in torch": (
        _project("1", "taps + 1", fit="torch.tensor(np.linalg.lstsq(D.T, y, rcond=None)[0] @ D)")
        | {"decompose": RIGHT["torch throughout"]["decompose"]},
        {"project-test"},
    ),
    "20 log everywhere": (
        _sdr(log="20 * np.log10") | _ratios(log="20 * np.log10(np.sum(g**2) / np.sum(b**2))"),
        {"frames-test", "ratios-test"},
    ),
    "the first part only": (
        {name: "raise NotImplementedError()" for name in
         ("project", "decompose", "ratios", "level", "p-value", "trials", "interval")},
        {"project-test", "decompose-test", "ratios-test", "level-test", "p-value-test",
         "trials-test", "interval-test"},
    ),
}  # fmt: skip

# The clips and the figure are there for eyes and ears; no test asks for them.
for _changed in [*list(RIGHT.values())[1:], *(changed for changed, _ in WRONG.values())]:
    _changed.update({"clips": "", "figure": ""})
