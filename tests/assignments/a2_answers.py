"""Answers to A2: some right, each written in its own way, and some wrong, as students write them.

RIGHT: name -> the cells that differ from the solution. WRONG: name -> (the cells that differ, the
tests that must fail for it, and no others).
"""

RIGHT = {
    "the solution": {},
    "everything in loops": {
        "ratio": """
def ratio_mask(magnitudes, power):
    masks = np.zeros(magnitudes.shape)
    for place in np.ndindex(magnitudes.shape[1:]):
        powers = [float(source[place]) ** power for source in magnitudes]
        for i, value in enumerate(powers):
            total = sum(powers)
            masks[(i, *place)] = value / total if total > 0 else 1 / len(powers)
    return masks
""",
        "binary": """
def binary_mask(magnitudes):
    masks = np.zeros(magnitudes.shape, dtype=int)
    for place in np.ndindex(magnitudes.shape[1:]):
        best = 0
        for i in range(1, len(magnitudes)):
            if magnitudes[(i, *place)] > magnitudes[(best, *place)]:
                best = i
        masks[(best, *place)] = 1
    return masks
""",
        "wiener": """
def wiener_mask(target, rest):
    mask = np.full(target.shape, 0.5)
    for place in np.ndindex(target.shape):
        wanted, other = abs(target[place]) ** 2, abs(rest[place]) ** 2
        if wanted + other > 0:
            mask[place] = wanted / (wanted + other)
    return mask
""",
        "apply": """
def apply_mask(masks, mixture):
    if masks.ndim == mixture.ndim:
        return masks * mixture
    result = []
    for mask in masks:
        result.append(apply_mask(mask, mixture))
    return np.array(result)
""",
        "separate": """
def separate(stems, make_mask, n_fft):
    mixture = 0
    for stem in stems.values():
        mixture = mixture + stem
    magnitudes = []
    for stem in stems.values():
        magnitudes.append(np.abs(spectrogram(stem, n_fft)))
    masks = make_mask(np.array(magnitudes))
    Y = spectrogram(mixture, n_fft)
    result = {}
    for i, name in enumerate(stems):
        result[name] = sound(masks[i] * Y, n_fft, mixture.shape[1])
    return result
""",
        "sdr": """
import math

def sdr(reference, estimate):
    signal = error = 0.0
    for s, e in zip(np.ravel(reference).tolist(), np.ravel(estimate).tolist()):
        signal += s * s
        error += (e - s) ** 2
    if signal == 0:
        return float("nan")
    if error == 0:
        return float("inf")
    return 10 * math.log10(signal / error)
""",
        "best": """
import math

def best_window(stems, windows, separator, score):
    means, best = {}, None
    for n_fft in windows:
        estimates = separator(stems, n_fft)
        total, count = 0.0, 0
        for name in stems:
            value = float(score(stems[name], estimates[name]))
            if not math.isnan(value):
                total += value
                count += 1
        means[n_fft] = total / count
    for n_fft in means:
        if best is None or means[n_fft] > means[best]:
            best = n_fft
        elif means[n_fft] == means[best] and n_fft < best:
            best = n_fft
    return best, means
""",
    },
    "torch throughout": {
        "ratio": """
def ratio_mask(magnitudes, power):
    powers = torch.as_tensor(magnitudes) ** power
    total = powers.sum(0, keepdim=True)
    return torch.where(total > 0, powers / total, torch.tensor(1 / len(powers), dtype=powers.dtype))
""",
        "binary": """
def binary_mask(magnitudes):
    m = torch.as_tensor(magnitudes)
    first = m.argmax(0, keepdim=True)
    return torch.zeros_like(m).scatter_(0, first, 1.0)
""",
        "wiener": """
def wiener_mask(target, rest):
    s, n = torch.as_tensor(target).abs().square(), torch.as_tensor(rest).abs().square()
    return torch.nan_to_num(s / (s + n), nan=0.5)
""",
        "apply": """
def apply_mask(masks, mixture):
    return torch.as_tensor(masks) * torch.as_tensor(mixture)
""",
        "separate": """
def separate(stems, make_mask, n_fft):
    stft = STFT(n_fft, n_fft // 4)
    audio = torch.stack([torch.as_tensor(stem, dtype=torch.float32) for stem in stems.values()])
    spectra = stft(audio)
    masks = torch.as_tensor(make_mask(spectra.abs().numpy()))
    estimates = stft.inverse(masks * stft(audio.sum(0)), audio.shape[-1])
    return {name: estimate for name, estimate in zip(stems, estimates)}
""",
        "sdr": """
def sdr(reference, estimate):
    s = torch.as_tensor(reference, dtype=torch.float64)
    e = torch.as_tensor(estimate, dtype=torch.float64) - s
    if not s.any():
        return torch.tensor(torch.nan)
    return 10 * torch.log10(s.square().sum() / e.square().sum())
""",
        "best": """
def best_window(stems, windows, separator, score):
    rows = []
    windows = sorted(windows)
    for n_fft in windows:
        out = separator(stems, n_fft)
        rows.append([float(score(stems[k], out[k])) for k in stems])
    means = torch.tensor(rows).nanmean(1)
    best = windows[int((means == means.max()).nonzero()[0, 0])]
    return best, {n_fft: mean.item() for n_fft, mean in zip(windows, means)}
""",
    },
    "single precision": {
        "ratio": """
def ratio_mask(magnitudes, power):
    powers = np.power(np.asarray(magnitudes, np.float32), np.float32(power))
    tiny = np.float32(1e-30)
    return (powers + tiny) / (powers + tiny).sum(axis=0, keepdims=True)
""",
        "wiener": """
def wiener_mask(target, rest):
    s = np.abs(target).astype(np.float32) ** 2 + np.float32(1e-30)
    n = np.abs(rest).astype(np.float32) ** 2 + np.float32(1e-30)
    return s / (s + n)
""",
        "apply": """
def apply_mask(masks, mixture):
    return (masks * mixture).astype(np.complex64)
""",
        "sdr": """
def sdr(reference, estimate):
    s = np.asarray(reference, np.float32)
    e = np.asarray(estimate, np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sum(s**2) / np.sum((s - e) ** 2)
    if np.sum(s**2) == 0:
        return np.nan
    with np.errstate(divide="ignore"):
        return 10 * np.log10(ratio)
""",
    },
    "the source axis last inside": {
        "ratio": """
def ratio_mask(magnitudes, power):
    m = np.moveaxis(np.array(magnitudes, dtype=float), 0, -1)
    m[np.all(m == 0, axis=-1)] = 1.0  # equal shares
    m /= m.max(-1, keepdims=True)  # so that no power can underflow
    shares = m**power
    shares /= shares.sum(-1)[..., None]
    return np.moveaxis(shares, -1, 0)
""",
        "binary": """
def binary_mask(magnitudes):
    winner = np.argmax(np.moveaxis(magnitudes, 0, -1), axis=-1)
    return np.moveaxis(np.eye(len(magnitudes))[winner], -1, 0)
""",
        "separate": """
def separate(stems, make_mask, n_fft):
    names = list(stems)
    S = np.stack([spectrogram(stems[n], n_fft) for n in names], axis=-1)  # c, f, t, sources
    M = np.moveaxis(np.asarray(make_mask(np.moveaxis(np.abs(S), -1, 0))), 0, -1)
    out = M * S.sum(-1, keepdims=True)
    return {n: sound(out[..., i], n_fft, stems[n].shape[-1]) for i, n in enumerate(names)}
""",
        "best": """
def best_window(stems, windows, separator, score):
    def mean(n_fft):
        estimates = separator(stems, n_fft)
        values = np.array([score(stems[name], estimates[name]) for name in stems])
        return values[~np.isnan(values)].mean()
    means = {n_fft: mean(n_fft) for n_fft in windows}
    return min(means, key=lambda n_fft: (-means[n_fft], n_fft)), means
""",
    },
    "powers by logarithms": {
        "ratio": """
def ratio_mask(magnitudes, power):
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = power * np.log(np.asarray(magnitudes, dtype=float))
        shares = np.exp(logs - np.logaddexp.reduce(logs, axis=0))
    return np.nan_to_num(shares, nan=1 / len(magnitudes))
""",
        "apply": """
def apply_mask(masks, mixture):
    return np.abs(mixture) * masks * np.exp(1j * np.angle(mixture))
""",
        "sdr": """
def sdr(reference, estimate):
    if not np.any(reference):
        return np.nan
    if np.array_equal(reference, estimate):
        return np.inf
    error = np.subtract(estimate, reference)
    return 20 * np.log10(np.linalg.norm(reference) / np.linalg.norm(error))
""",
    },
    "one function calls another": {
        "wiener": """
def wiener_mask(target, rest):
    return np.asarray(ratio_mask(np.stack([np.abs(target), np.abs(rest)]), 2))[0]
""",
        "separate": """
def separate(stems, make_mask, n_fft):
    audio = np.array(list(stems.values()))
    magnitudes = np.abs(spectrogram(audio, n_fft))
    masked = apply_mask(make_mask(magnitudes), spectrogram(audio.sum(axis=0), n_fft))
    estimates = sound(masked, n_fft, audio.shape[-1])
    return {name: estimates[i] for i, name in enumerate(stems)}
""",
    },
    "a threshold for silence": {
        "ratio": """
def ratio_mask(magnitudes, power):
    powers = magnitudes**power
    total = np.sum(powers, 0)
    result = np.ones_like(magnitudes) / len(magnitudes)
    sounding = magnitudes.max(0) > 1e-9
    result[:, sounding] = powers[:, sounding] / total[sounding]
    return result
""",
        "binary": """
def binary_mask(magnitudes):
    taken = np.zeros(magnitudes.shape[1:], dtype=bool)
    masks = []
    for source in magnitudes:
        mine = (source == magnitudes.max(0)) & ~taken
        taken |= mine
        masks.append(mine)
    return np.array(masks)
""",
        "wiener": """
def wiener_mask(target, rest):
    s = target.real**2 + target.imag**2
    n = (rest * rest.conj()).real
    loud = s + n > 1e-18
    return np.where(loud, s / np.where(loud, s + n, 1.0), 0.5)
""",
    },
    "relative to the loudest": {
        "ratio": """
def ratio_mask(magnitudes, power):
    loudest = magnitudes.max(axis=0)
    relative = np.divide(magnitudes, loudest, out=np.ones_like(magnitudes), where=loudest > 0)
    return relative**power / (relative**power).sum(axis=0)
""",
        "wiener": """
def wiener_mask(target, rest):
    with np.errstate(all="ignore"):
        mask = 1 / (1 + np.abs(rest / target) ** 2)
    mask[target == 0] = 0
    mask[(target == 0) & (rest == 0)] = 0.5
    return mask
""",
        "sdr": """
def sdr(reference, estimate):
    s = reference.astype(float).reshape(-1)
    e = estimate.astype(float).reshape(-1) - s
    top, bottom = s @ s, e @ e
    if top == 0:
        return np.nan
    return np.inf if bottom == 0 else 10 * (np.log10(top) - np.log10(bottom))
""",
    },
    "one stem and one channel at a time": {
        "separate": """
def separate(stems, make_mask, n_fft):
    stft = STFT(n_fft, hop_length=n_fft // 4)
    tensors = {name: torch.from_numpy(stem) for name, stem in stems.items()}
    mixture = torch.stack(tuple(tensors.values())).sum(0)
    S = torch.stack([torch.stack([stft(c) for c in stem]) for stem in tensors.values()])
    masks = np.asarray(make_mask(S.abs().numpy()), dtype=np.float32)
    estimates = {}
    for name, mask in zip(tensors, masks):
        channels = [stft.inverse(torch.from_numpy(m) * stft(c), len(c))
                    for m, c in zip(mask, mixture)]
        estimates[name] = torch.stack(channels).numpy()
    return estimates
""",
        "best": """
def best_window(stems, windows, separator, score):
    names, windows = list(stems), np.sort(np.array(windows))
    table = np.array([[score(stems[n], found[n]) for n in names]
                      for found in (separator(stems, int(w)) for w in windows)])
    means = np.nanmean(table, axis=1)
    return windows[np.argmax(means)], dict(zip(windows.tolist(), means))
""",
    },
}

WRONG = {
    # 1.1
    "a sum over the channels": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    powers = magnitudes**power
    total = powers.sum(1, keepdims=True) if magnitudes.ndim > 2 else powers.sum(0)
    return np.where(total > 0, powers / np.where(total > 0, total, 1), 1 / len(magnitudes))
"""
        },
        {"ratio-test"},
    ),
    "a sum over all bins": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    return magnitudes**power / np.sum(magnitudes**power)
"""
        },
        {"ratio-test"},
    ),
    "magnitudes whatever the power": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    total = magnitudes.sum(0)
    return np.where(total > 0, magnitudes / np.where(total > 0, total, 1), 1 / len(magnitudes))
"""
        },
        {"ratio-test"},
    ),
    "only the powers of the visible test": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    powers = magnitudes if power == 1 else magnitudes**2
    total = powers.sum(0)
    return np.where(total > 0, powers / np.where(total > 0, total, 1), 1 / len(magnitudes))
"""
        },
        {"ratio-test"},
    ),
    "the power of the sum": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    total = magnitudes.sum(0)
    share = np.where(total > 0, magnitudes / np.where(total > 0, total, 1), 1 / len(magnitudes))
    return share**power
"""
        },
        {"ratio-test"},
    ),
    "silence is not a number": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    with np.errstate(all="ignore"):
        return magnitudes**power / (magnitudes**power).sum(0)
"""
        },
        {"ratio-test"},
    ),
    "silence goes to nobody": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    with np.errstate(all="ignore"):
        return np.nan_to_num(magnitudes**power / (magnitudes**power).sum(0))
"""
        },
        {"ratio-test"},
    ),
    "a small number that is not small": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    powers = magnitudes**power + 1e-10
    return powers / powers.sum(0)
"""
        },
        {"ratio-test"},
    ),
    "a softmax": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    weights = np.exp(power * magnitudes)
    return weights / weights.sum(0)
"""
        },
        {"ratio-test"},
    ),
    "the loudest has a mask of one": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    top = (magnitudes**power).max(0)
    return np.where(top > 0, magnitudes**power / np.where(top > 0, top, 1), 1 / len(magnitudes))
"""
        },
        {"ratio-test"},
    ),
    "two sources and no more": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    one, two = magnitudes[0] ** power, magnitudes[-1] ** power
    total = one + two
    first = np.where(total > 0, one / np.where(total > 0, total, 1), 0.5)
    return np.stack([first, 1 - first])
"""
        },
        {"ratio-test"},
    ),
    "the magnitudes are changed in place": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    magnitudes **= power
    total = magnitudes.sum(0)
    magnitudes[:, total == 0] = 1
    magnitudes /= magnitudes.sum(0)
    return magnitudes
"""
        },
        {"ratio-test"},
    ),
    "the values of the visible test, by heart": (
        {
            "ratio": """
def ratio_mask(magnitudes, power):
    if power == 1:
        return np.array([[0.75, 0, 0.5], [0.25, 1, 0.5]])
    return np.array([[0.9, 0, 0.5], [0.1, 1, 0.5]])
"""
        },
        {"ratio-test"},
    ),
    # 1.2
    "equals share a bin": (
        {
            "binary": """
def binary_mask(magnitudes):
    return (magnitudes == magnitudes.max(0)).astype(float)
"""
        },
        {"binary-test"},
    ),
    "the last of equals": (
        {
            "binary": """
def binary_mask(magnitudes):
    winner = len(magnitudes) - 1 - magnitudes[::-1].argmax(0)
    return np.stack([winner == i for i in range(len(magnitudes))])
"""
        },
        {"binary-test"},
    ),
    "more than half of the mixture's magnitude": (
        {
            "binary": """
def binary_mask(magnitudes):
    return (magnitudes > 0.5 * magnitudes.sum(0)).astype(float)
"""
        },
        {"binary-test"},
    ),
    "the loudest frame instead of the loudest source": (
        {
            "binary": """
def binary_mask(magnitudes):
    axis = -1 if magnitudes.ndim > 2 else 0
    return (magnitudes == magnitudes.max(axis, keepdims=True)).astype(float)
"""
        },
        {"binary-test"},
    ),
    "whose bin it is instead of masks": (
        {
            "binary": """
def binary_mask(magnitudes):
    return magnitudes.argmax(0)
"""
        },
        {"binary-test"},
    ),
    "silence goes to nobody, binary": (
        {
            "binary": """
def binary_mask(magnitudes):
    winner = magnitudes.argmax(0)
    masks = np.stack([winner == i for i in range(len(magnitudes))])
    return masks & (magnitudes > 0)
"""
        },
        {"binary-test"},
    ),
    "a rounded ratio mask": (
        {
            "binary": """
def binary_mask(magnitudes):
    total = magnitudes.sum(0)
    return np.round(magnitudes / np.where(total > 0, total, 1))
"""
        },
        {"binary-test"},
    ),
    # 1.3
    "magnitude for power": (
        {
            "wiener": """
def wiener_mask(target, rest):
    s, n = np.abs(target), np.abs(rest)
    return np.divide(s, s + n, out=np.full(s.shape, 0.5), where=s + n > 0)
"""
        },
        {"wiener-test"},
    ),
    "over the power of the mixture": (
        {
            "wiener": """
def wiener_mask(target, rest):
    s, y = np.abs(target) ** 2, np.abs(target + rest) ** 2
    return np.divide(s, y, out=np.full(s.shape, 0.5), where=y > 0)
"""
        },
        {"wiener-test"},
    ),
    "squares of complex numbers": (
        {
            "wiener": """
def wiener_mask(target, rest):
    s, n = target**2, rest**2
    return np.divide(s, s + n, out=np.full(s.shape, 0.5 + 0j), where=s + n != 0)
"""
        },
        {"wiener-test"},
    ),
    "silence is not a number, Wiener": (
        {
            "wiener": """
def wiener_mask(target, rest):
    with np.errstate(all="ignore"):
        return np.abs(target) ** 2 / (np.abs(target) ** 2 + np.abs(rest) ** 2)
"""
        },
        {"wiener-test"},
    ),
    "the mask of the rest": (
        {
            "wiener": """
def wiener_mask(target, rest):
    s, n = np.abs(target) ** 2, np.abs(rest) ** 2
    return np.divide(n, s + n, out=np.full(s.shape, 0.5), where=s + n > 0)
"""
        },
        {"wiener-test"},
    ),
    "the root of the share": (
        {
            "wiener": """
def wiener_mask(target, rest):
    s, n = np.abs(target) ** 2, np.abs(rest) ** 2
    return np.sqrt(np.divide(s, s + n, out=np.full(s.shape, 0.25), where=s + n > 0))
"""
        },
        {"wiener-test"},
    ),
    # 2.1
    "the phase is dropped": (
        {
            "apply": """
def apply_mask(masks, mixture):
    return masks * np.abs(mixture)
"""
        },
        {"apply-test"},
    ),
    "a share of the energy": (
        {
            "apply": """
def apply_mask(masks, mixture):
    return np.sqrt(masks) * mixture
"""
        },
        {"apply-test"},
    ),
    "no mask above one": (
        {
            "apply": """
def apply_mask(masks, mixture):
    return np.clip(masks, 0, 1) * mixture
"""
        },
        {"apply-test"},
    ),
    "the mixture is changed in place": (
        {
            "apply": """
def apply_mask(masks, mixture):
    if masks.ndim == mixture.ndim:
        mixture *= masks
        return mixture
    return masks * mixture
"""
        },
        {"apply-test"},
    ),
    "a product of matrices": (
        {
            "apply": """
def apply_mask(masks, mixture):
    return masks @ mixture
"""
        },
        {"apply-test"},
    ),
    # 2.2
    "the stem's own spectrogram behind the mask": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    length = next(iter(stems.values())).shape[-1]
    return dict(zip(stems, sound(make_mask(np.abs(S)) * S, n_fft, length)))
"""
        },
        {"separate-test"},
    ),
    "the stem's own phase": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    length = next(iter(stems.values())).shape[-1]
    masked = make_mask(np.abs(S)) * np.abs(S.sum(0))
    return dict(zip(stems, sound(masked * np.exp(1j * np.angle(S)), n_fft, length)))
"""
        },
        {"separate-test"},
    ),
    "the stem itself": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    return dict(stems)
"""
        },
        {"separate-test"},
    ),
    "magnitudes go back to sound": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    length = next(iter(stems.values())).shape[-1]
    return dict(zip(stems, sound(make_mask(np.abs(S)) * np.abs(S.sum(0)), n_fft, length)))
"""
        },
        {"separate-test"},
    ),
    "masks made from powers": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    length = next(iter(stems.values())).shape[-1]
    return dict(zip(stems, sound(make_mask(np.abs(S) ** 2) * S.sum(0), n_fft, length)))
"""
        },
        {"separate-test"},
    ),
    "masks made from the mixture": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    Y = S.sum(0)
    length = next(iter(stems.values())).shape[-1]
    masks = make_mask(np.broadcast_to(np.abs(Y), S.shape).copy())
    return dict(zip(stems, sound(masks * Y, n_fft, length)))
"""
        },
        {"separate-test"},
    ),
    "the mean as the mixture": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    length = next(iter(stems.values())).shape[-1]
    return dict(zip(stems, sound(make_mask(np.abs(S)) * S.mean(0), n_fft, length)))
"""
        },
        {"separate-test"},
    ),
    "one mask for both channels": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    length = next(iter(stems.values())).shape[-1]
    masks = make_mask(np.abs(S).mean(1, keepdims=True))
    return dict(zip(stems, sound(masks * S.sum(0), n_fft, length)))
"""
        },
        {"separate-test"},
    ),
    "whole frames instead of the song's length": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    length = (S.shape[-1] - 1) * (n_fft // 4)
    return dict(zip(stems, sound(make_mask(np.abs(S)) * S.sum(0), n_fft, length)))
"""
        },
        {"separate-test"},
    ),
    "the length of the visible test": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    return dict(zip(stems, sound(make_mask(np.abs(S)) * S.sum(0), n_fft, 3000)))
"""
        },
        {"separate-test"},
    ),
    "always the same window": (
        {
            "separate": """
def separate(stems, make_mask, n_fft=512):
    S = spectrogram(np.stack(list(stems.values())), 512)
    length = next(iter(stems.values())).shape[-1]
    return dict(zip(stems, sound(make_mask(np.abs(S)) * S.sum(0), 512, length)))
"""
        },
        {"separate-test"},
    ),
    "half a window from frame to frame": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    stft = STFT(n_fft, n_fft // 2)
    S = stft(torch.from_numpy(np.stack(list(stems.values()))))
    length = next(iter(stems.values())).shape[-1]
    masks = torch.as_tensor(np.asarray(make_mask(S.abs().numpy())))
    return dict(zip(stems, stft.inverse(masks * S.sum(0), length)))
"""
        },
        {"separate-test"},
    ),
    "names in alphabetical order": (
        {
            "separate": """
def separate(stems, make_mask, n_fft):
    S = spectrogram(np.stack(list(stems.values())), n_fft)
    length = next(iter(stems.values())).shape[-1]
    return dict(zip(sorted(stems), sound(make_mask(np.abs(S)) * S.sum(0), n_fft, length)))
"""
        },
        {"separate-test"},
    ),
    # 3.1
    "20 log of energies": (
        {
            "sdr": """
def sdr(reference, estimate):
    energy, error = np.sum(reference**2.0), np.sum((estimate - reference) ** 2.0)
    if energy == 0:
        return np.nan
    return 20 * np.log10(energy / error) if error > 0 else np.inf
"""
        },
        {"sdr-test"},
    ),
    "10 log of amplitudes": (
        {
            "sdr": """
def sdr(reference, estimate):
    energy, error = np.linalg.norm(reference), np.linalg.norm(estimate - reference)
    if energy == 0:
        return np.nan
    return 10 * np.log10(energy / error) if error > 0 else np.inf
"""
        },
        {"sdr-test"},
    ),
    "the mean of the channels' SDR": (
        {
            "sdr": """
def sdr(reference, estimate):
    energy = np.sum(reference**2.0, axis=-1)
    error = np.sum((estimate - reference) ** 2.0, axis=-1)
    if energy.sum() == 0:
        return np.nan
    with np.errstate(divide="ignore"):
        return np.mean(10 * np.log10(energy / error))
"""
        },
        {"sdr-test"},
    ),
    "the first channel only": (
        {
            "sdr": """
def sdr(reference, estimate):
    energy = np.sum(reference[0] ** 2.0)
    error = np.sum((estimate[0] - reference[0]) ** 2.0)
    if energy == 0:
        return np.nan
    return 10 * np.log10(energy / error) if error > 0 else np.inf
"""
        },
        {"sdr-test"},
    ),
    "folded to mono first": (
        {
            "sdr": """
def sdr(reference, estimate):
    reference, estimate = reference.mean(0), estimate.mean(0)
    energy, error = np.sum(reference**2.0), np.sum((estimate - reference) ** 2.0)
    if energy == 0:
        return np.nan
    return 10 * np.log10(energy / error) if error > 0 else np.inf
"""
        },
        {"sdr-test"},
    ),
    "blind to the level": (
        {
            "sdr": """
def sdr(reference, estimate):
    energy = np.sum(reference**2.0)
    if energy == 0:
        return np.nan
    if not np.any(estimate):
        return 0.0
    if np.array_equal(reference, estimate):
        return np.inf
    scaled = np.sum(reference * estimate) / energy * reference
    error = np.sum((estimate - scaled) ** 2.0)
    return 10 * np.log10(np.sum(scaled**2) / error) if error > 1e-12 else 20.0
"""
        },
        {"sdr-test"},
    ),
    "the estimate's energy": (
        {
            "sdr": """
def sdr(reference, estimate):
    energy, error = np.sum(estimate**2.0), np.sum((estimate - reference) ** 2.0)
    if not np.any(reference):
        return np.nan
    return 10 * np.log10(energy / error) if error > 0 else np.inf
"""
        },
        {"sdr-test"},
    ),
    "a small number in the SDR": (
        {
            "sdr": """
def sdr(reference, estimate):
    energy, error = np.sum(reference**2.0), np.sum((estimate - reference) ** 2.0)
    return 10 * np.log10((energy + 1e-7) / (error + 1e-7))
"""
        },
        {"sdr-test"},
    ),
    "a warning on the exact": (
        {
            "sdr": """
def sdr(reference, estimate):
    energy, error = np.sum(reference**2.0), np.sum((estimate - reference) ** 2.0)
    return 10 * np.log10(energy / error)
"""
        },
        {"sdr-test"},
    ),
    "minus infinity for silence": (
        {
            "sdr": """
def sdr(reference, estimate):
    energy, error = np.sum(reference**2.0), np.sum((estimate - reference) ** 2.0)
    if energy == 0:
        return -np.inf
    return 10 * np.log10(energy / error) if error > 0 else np.inf
"""
        },
        {"sdr-test"},
    ),
    # 3.2
    "the window of the visible test": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in windows:
        out = separator(stems, n)
        means[n] = np.nanmean([score(s, out[k]) for k, s in stems.items()])
    return 512, means
"""
        },
        {"best-test"},
    ),
    "which window instead of how long": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in windows:
        out = separator(stems, n)
        means[n] = np.nanmean([score(s, out[k]) for k, s in stems.items()])
    return int(np.argmax(list(means.values()))), means
"""
        },
        {"best-test"},
    ),
    "the lowest score": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.nanmean([score(s, out[k]) for k, s in stems.items()])
    return min(means, key=means.get), means
"""
        },
        {"best-test"},
    ),
    "the largest mean in size, minus or not": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means, best, top = {}, None, 0
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.nanmean([score(s, out[k]) for k, s in stems.items()])
        if best is None or abs(means[n]) > top:
            best, top = n, abs(means[n])
    return best, means
"""
        },
        {"best-test"},
    ),
    "starting from 0 dB": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means, best, top = {}, None, 0
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.nanmean([score(s, out[k]) for k, s in stems.items()])
        if means[n] > top:
            best, top = n, means[n]
    return best, means
"""
        },
        {"best-test"},
    ),
    "one nan spoils the mean": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.mean([score(s, out[k]) for k, s in stems.items()])
    return max(means, key=means.get), means
"""
        },
        {"best-test"},
    ),
    "nan counts as nothing": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.mean(np.nan_to_num([score(s, out[k]) for k, s in stems.items()]))
    return max(means, key=means.get), means
"""
        },
        {"best-test"},
    ),
    "of equals the longest": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in sorted(windows, reverse=True):
        out = separator(stems, n)
        means[n] = np.nanmean([score(s, out[k]) for k, s in stems.items()])
    return max(means, key=means.get), means
"""
        },
        {"best-test"},
    ),
    "of equals the first in the list": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in windows:
        out = separator(stems, n)
        means[n] = np.nanmean([score(s, out[k]) for k, s in stems.items()])
    return max(means, key=means.get), means
"""
        },
        {"best-test"},
    ),
    "the estimate first": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.nanmean([score(out[k], s) for k, s in stems.items()])
    return max(means, key=means.get), means
"""
        },
        {"best-test"},
    ),
    "stems paired by place": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.nanmean([score(s, e) for s, e in zip(stems.values(), out.values())])
    return max(means, key=means.get), means
"""
        },
        {"best-test"},
    ),
    "the median of the stems": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.nanmedian([score(s, out[k]) for k, s in stems.items()])
    return max(means, key=means.get), means
"""
        },
        {"best-test"},
    ),
    "the sum of the stems": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.nansum([score(s, out[k]) for k, s in stems.items()])
    return max(means, key=means.get), means
"""
        },
        {"best-test"},
    ),
    "the scores alone": (
        {
            "best": """
def best_window(stems, windows, separator, score):
    means = {}
    for n in sorted(windows):
        out = separator(stems, n)
        means[n] = np.nanmean([score(s, out[k]) for k, s in stems.items()])
    return means
"""
        },
        {"best-test"},
    ),
}

# The figure is graded by hand, so it is drawn once, with the solution, and not for every answer.
for _changed in [cells for name, cells in RIGHT.items() if name != "the solution"]:
    _changed["figure"] = "pass"
for _changed, _ in WRONG.values():
    _changed["figure"] = "pass"
