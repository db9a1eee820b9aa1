"""Answers to A1: some right, each written in its own way, and some wrong, as students write them.

RIGHT: name -> the cells that differ from the solution. WRONG: name -> (the cells that differ, the
tests that must fail for it, and no others).
"""

RIGHT = {
    "the solution": {},
    "everything in loops": {
        "level": """
def level(audio):
    total, count = 0.0, 0
    for value in np.asarray(audio).reshape(-1):
        total += float(value) ** 2
        count += 1
    if total == 0:
        return float("-inf")
    return 10 * np.log10(total / count)
""",
        "mix": """
def mix(stems, gains):
    result = None
    for name in stems:
        factor = 1.0
        if name in gains:
            factor = 10 ** (gains[name] / 20)
        part = factor * stems[name]
        result = part if result is None else result + part
    return result
""",
        "hann": """
def hann(n):
    w = np.empty(n)
    for k in range(n):
        w[k] = 0.5 * (1 - np.cos(2 * np.pi * k / n))
    return w
""",
        "stft": """
def stft(x, n_fft, hop):
    columns = []
    start = 0
    while start < len(x):
        piece = np.zeros(n_fft)
        part = x[start : start + n_fft]
        piece[: len(part)] = part
        columns.append(np.fft.rfft(piece * hann(n_fft)))
        start += hop
    return np.array(columns).T
""",
        "istft": """
def istft(S, n_fft, hop, length):
    w = hann(n_fft)
    y = np.zeros(length + n_fft + hop * S.shape[1])
    norm = np.zeros_like(y)
    for t in range(S.shape[1]):
        frame = np.fft.irfft(S[:, t], n_fft)
        for k in range(n_fft):
            y[t * hop + k] += w[k] * frame[k]
            norm[t * hop + k] += w[k] ** 2
    for i in range(len(y)):
        y[i] = y[i] / norm[i] if norm[i] > 1e-9 else 0.0
    return y[:length]
""",
    },
    "strides and add.at": {
        "stft": """
from numpy.lib.stride_tricks import sliding_window_view

def stft(x, n_fft, hop):
    padded = np.pad(np.asarray(x, float), (0, n_fft))
    frames = sliding_window_view(padded, n_fft)[: len(x) : hop]
    return np.fft.rfft(frames * hann(n_fft), axis=-1).T
""",
        "istft": """
def istft(S, n_fft, hop, length):
    w = hann(n_fft)
    frames = np.fft.irfft(S.T, n_fft) * w
    where = hop * np.arange(len(frames))[:, None] + np.arange(n_fft)
    size = max(length, where.max() + 1)
    y, norm = np.zeros(size), np.zeros(size)
    np.add.at(y, where, frames)
    np.add.at(norm, where, np.broadcast_to(w * w, frames.shape))
    return np.divide(y, norm, out=np.zeros(size), where=norm > 1e-10)[:length]
""",
    },
    "a matrix instead of an FFT": {
        "stft": """
def stft(x, n_fft, hop):
    k = np.arange(n_fft)
    dft = np.exp(-2j * np.pi * np.outer(np.arange(n_fft // 2 + 1), k) / n_fft)
    count = int(np.ceil(len(x) / hop))
    padded = np.zeros(count * hop + n_fft)
    padded[: len(x)] = x
    framed = np.array([padded[i * hop : i * hop + n_fft] for i in range(count)]).T
    return dft @ (hann(n_fft)[:, None] * framed)
""",
    },
    "torch throughout": {
        "level": """
import torch

def level(audio):
    power = torch.as_tensor(np.asarray(audio, dtype=np.float64)).square().mean()
    return (10 * torch.log10(power)).item()
""",
        "hann": """
import torch

def hann(n):
    return torch.hann_window(n, periodic=True, dtype=torch.float64).numpy()
""",
        "stft": """
def stft(x, n_fft, hop):
    x = torch.as_tensor(np.asarray(x, dtype=np.float64))
    frames = -(-len(x) // hop)
    x = torch.nn.functional.pad(x, (0, (frames - 1) * hop + n_fft - len(x)))
    return torch.fft.rfft(x.unfold(0, n_fft, hop) * torch.from_numpy(hann(n_fft))).T.numpy()
""",
    },
    "single precision": {
        "level": """
def level(audio):
    rms = np.sqrt(np.mean(np.asarray(audio, dtype=np.float32) ** 2))
    with np.errstate(divide="ignore"):
        return 20 * np.log10(rms)
""",
        "mix": """
def mix(stems, gains):
    names = list(stems)
    factors = np.array([np.power(10.0, gains.get(n, 0) / 20) for n in names])
    return np.tensordot(factors, np.stack([stems[n] for n in names]), axes=1)
""",
    },
    "sin instead of cos": {
        "hann": """
def hann(n):
    return np.sin(np.pi * np.arange(n) / n) ** 2
""",
        "peak": """
def peak_frequency(x, rate, n_fft):
    S = stft(x, n_fft, n_fft // 4)
    centres = np.fft.rfftfreq(n_fft, 1 / rate)
    return centres[np.abs(S).sum(1).argmax()]
""",
        "share": """
def share_below(S, rate, n_fft, frequency):
    S = np.asarray(S)
    centres = np.linspace(0, rate / 2, S.shape[0])
    power = (S * S.conj()).real
    whole = power.sum()
    if whole == 0:
        return 0.0
    return power[centres < frequency, :].sum() / whole
""",
    },
    "a window one longer, cut": {
        "hann": """
def hann(n):
    return np.hanning(n + 1)[:-1]
""",
        "istft": """
def istft(S, n_fft, hop, length):
    w = hann(n_fft)
    end = (S.shape[1] - 1) * hop + n_fft
    y = np.zeros(max(end, length))
    norm = np.zeros(max(end, length))
    for t, column in enumerate(S.T):
        here = slice(t * hop, t * hop + n_fft)
        y[here] += np.fft.irfft(column, n=n_fft) * w
        norm[here] += w**2
    norm[norm < 1e-10] = np.inf
    return (y / norm)[:length]
""",
    },
    "a helper of its own": {
        "share": """
def _energy(S):
    return (np.abs(S) ** 2).sum(axis=1)

def share_below(S, rate, n_fft, frequency):
    energy = _energy(S)
    total = energy.sum()
    k = np.arange(n_fft // 2 + 1)
    return 0.0 if total == 0 else float(np.sum(energy * (k * rate / n_fft < frequency)) / total)
""",
    },
}

WRONG = {
    "amplitude as power in dB": (
        {
            "level": """
def level(audio):
    rms = np.sqrt(np.mean(np.square(audio)))
    return 10 * np.log10(rms) if rms > 0 else -np.inf
"""
        },
        {"level-test"},
    ),
    "the peak instead of the RMS": (
        {
            "level": """
def level(audio):
    peak = np.max(np.abs(audio))
    return 20 * np.log10(peak) if peak > 0 else -np.inf
"""
        },
        {"level-test"},
    ),
    "only the first channel": (
        {
            "level": """
def level(audio):
    audio = np.atleast_2d(audio)[0]
    power = np.mean(audio**2)
    return 10 * np.log10(power) if power > 0 else -np.inf
"""
        },
        {"level-test"},
    ),
    "a warning on silence": (
        {
            "level": """
def level(audio):
    return 10 * np.log10(np.mean(np.square(audio)))
"""
        },
        {"level-test"},
    ),
    "dB of power for gains": (
        {
            "mix": """
def mix(stems, gains):
    return sum(stem * 10 ** (gains.get(name, 0.0) / 10) for name, stem in stems.items())
"""
        },
        {"mix-test"},
    ),
    "stems without a gain are left out": (
        {
            "mix": """
def mix(stems, gains):
    return sum((stems[n] * 10 ** (g / 20) for n, g in gains.items() if n in stems),
               0 * next(iter(stems.values())))
"""
        },
        {"mix-test"},
    ),
    "the stems are scaled in place": (
        {
            "mix": """
def mix(stems, gains):
    total = 0
    for name, stem in stems.items():
        stem *= 10 ** (gains.get(name, 0.0) / 20)
        total = total + stem
    return total
"""
        },
        {"mix-test"},
    ),
    "the mean instead of the sum": (
        {
            "mix": """
def mix(stems, gains):
    return np.mean([s * 10 ** (gains.get(n, 0) / 20) for n, s in stems.items()], axis=0)
"""
        },
        {"mix-test"},
    ),
    "the symmetric window": (
        {
            "hann": """
def hann(n):
    return np.hanning(n)
"""
        },
        {"hann-test", "stft-test", "istft-test"},
    ),
    "the window's values for 8, by heart": (
        {
            "hann": """
def hann(n):
    if n == 8:
        return np.array([0, 0.14644661, 0.5, 0.85355339, 1, 0.85355339, 0.5, 0.14644661])
    return np.ones(n)
"""
        },
        {"hann-test", "stft-test", "istft-test"},
    ),
    "no window": (
        {
            "stft": """
def stft(x, n_fft, hop):
    frames = -(-len(x) // hop)
    padded = np.concatenate([x, np.zeros((frames - 1) * hop + n_fft - len(x))])
    return np.fft.rfft([padded[t * hop : t * hop + n_fft] for t in range(frames)]).T
"""
        },
        {"stft-test", "istft-test"},
    ),
    "the last frames are lost": (
        {
            "stft": """
def stft(x, n_fft, hop):
    frames = 1 + (len(x) - n_fft) // hop
    return np.fft.rfft([x[t * hop : t * hop + n_fft] * hann(n_fft) for t in range(frames)]).T
"""
        },
        {"stft-test", "istft-test"},
    ),
    "one frame too many": (
        {
            "stft": """
def stft(x, n_fft, hop):
    frames = len(x) // hop + 1
    padded = np.concatenate([x, np.zeros(frames * hop + n_fft)])
    return np.fft.rfft([padded[t * hop : t * hop + n_fft] * hann(n_fft) for t in range(frames)]).T
"""
        },
        {"stft-test"},
    ),
    "an off-by-one hop": (
        {
            "stft": """
def stft(x, n_fft, hop):
    frames = -(-len(x) // hop)
    padded = np.concatenate([x, np.zeros(frames * (hop + 1) + n_fft)])
    return np.fft.rfft(
        [padded[t * (hop + 1) : t * (hop + 1) + n_fft] * hann(n_fft) for t in range(frames)]
    ).T
"""
        },
        {"stft-test", "istft-test"},
    ),
    "frames and frequencies swapped": (
        {
            "stft": """
def stft(x, n_fft, hop):
    frames = -(-len(x) // hop)
    padded = np.concatenate([x, np.zeros((frames - 1) * hop + n_fft - len(x))])
    return np.fft.rfft([padded[t * hop : t * hop + n_fft] * hann(n_fft) for t in range(frames)])
"""
        },
        {"stft-test", "istft-test", "peak-test"},
    ),
    "all frequencies, also the mirrored": (
        {
            "stft": """
def stft(x, n_fft, hop):
    frames = -(-len(x) // hop)
    padded = np.concatenate([x, np.zeros((frames - 1) * hop + n_fft - len(x))])
    return np.fft.fft([padded[t * hop : t * hop + n_fft] * hann(n_fft) for t in range(frames)]).T
"""
        },
        {"stft-test"},
    ),
    "magnitudes instead of complex numbers": (
        {
            "stft": """
def stft(x, n_fft, hop):
    frames = -(-len(x) // hop)
    padded = np.concatenate([x, np.zeros((frames - 1) * hop + n_fft - len(x))])
    return np.abs(
        np.fft.rfft([padded[t * hop : t * hop + n_fft] * hann(n_fft) for t in range(frames)])
    ).T
"""
        },
        {"stft-test", "istft-test"},
    ),
    "no window compensation": (
        {
            "istft": """
def istft(S, n_fft, hop, length):
    y = np.zeros((S.shape[1] - 1) * hop + n_fft + length)
    for t in range(S.shape[1]):
        y[t * hop : t * hop + n_fft] += np.fft.irfft(S[:, t], n_fft) * hann(n_fft)
    return y[:length]
"""
        },
        {"istft-test"},
    ),
    "not windowed a second time": (
        {
            "istft": """
def istft(S, n_fft, hop, length):
    w = hann(n_fft)
    y = np.zeros((S.shape[1] - 1) * hop + n_fft + length)
    norm = np.zeros_like(y)
    for t in range(S.shape[1]):
        y[t * hop : t * hop + n_fft] += np.fft.irfft(S[:, t], n_fft)
        norm[t * hop : t * hop + n_fft] += w
    return np.divide(y, norm, out=np.zeros_like(y), where=norm > 1e-10)[:length]
"""
        },
        {"istft-test"},
    ),
    "a compensation for a quarter hop only": (
        {
            "istft": """
def istft(S, n_fft, hop, length):
    y = np.zeros((S.shape[1] - 1) * hop + n_fft + length)
    for t in range(S.shape[1]):
        y[t * hop : t * hop + n_fft] += np.fft.irfft(S[:, t], n_fft) * hann(n_fft) / 1.5
    return y[:length]
"""
        },
        {"istft-test"},
    ),
    "no number where nothing is known": (
        {
            "istft": """
def istft(S, n_fft, hop, length):
    w = hann(n_fft)
    y = np.zeros((S.shape[1] - 1) * hop + n_fft + length)
    norm = np.zeros_like(y)
    for t in range(S.shape[1]):
        y[t * hop : t * hop + n_fft] += np.fft.irfft(S[:, t], n_fft) * w
        norm[t * hop : t * hop + n_fft] += w**2
    with np.errstate(all="ignore"):
        return (y / norm)[:length]
"""
        },
        {"istft-test"},
    ),
    "the bin instead of its frequency": (
        {
            "peak": """
def peak_frequency(x, rate, n_fft):
    return np.abs(stft(x, n_fft, n_fft // 4)).mean(1).argmax()
"""
        },
        {"peak-test"},
    ),
    "the answer to the visible test": (
        {
            "peak": """
def peak_frequency(x, rate, n_fft):
    return 1000.0
"""
        },
        {"peak-test"},
    ),
    "bins counted from 1": (
        {
            "peak": """
def peak_frequency(x, rate, n_fft):
    return (np.abs(stft(x, n_fft, n_fft // 4)).mean(1).argmax() + 1) * rate / n_fft
"""
        },
        {"peak-test"},
    ),
    "magnitude for energy": (
        {
            "share": """
def share_below(S, rate, n_fft, frequency):
    m = np.abs(S).sum(1)
    below = np.arange(len(m)) * rate / n_fft < frequency
    return m[below].sum() / m.sum() if m.sum() else 0.0
"""
        },
        {"share-test"},
    ),
    "a rate by heart": (
        {
            "share": """
def share_below(S, rate, n_fft, frequency):
    e = np.sum(np.abs(S) ** 2, axis=1)
    below = np.arange(len(e)) * 8000 / n_fft < frequency
    return e[below].sum() / e.sum() if e.sum() else 0.0
"""
        },
        {"share-test"},
    ),
    "below or equal": (
        {
            "share": """
def share_below(S, rate, n_fft, frequency):
    e = np.sum(np.abs(S) ** 2, axis=1)
    below = np.arange(len(e)) * rate / n_fft <= frequency
    return e[below].sum() / e.sum() if e.sum() else 0.0
"""
        },
        {"share-test"},
    ),
    "silence divides by zero": (
        {
            "share": """
def share_below(S, rate, n_fft, frequency):
    e = np.sum(np.abs(S) ** 2, axis=1)
    return float(e[np.arange(len(e)) * rate / n_fft < frequency].sum()) / float(e.sum())
"""
        },
        {"share-test"},
    ),
}
