"""Answers to A4: some right, each written in its own way, and some wrong, as students write them.

RIGHT: name -> the cells that differ from the solution. WRONG: name -> (the cells that differ, the
tests that must fail for it, and no others).
"""

RIGHT = {
    "the solution": {},
    "draws first, cuts after": {
        "draw": """
def draw_batch(songs, size, samples, rng, remix):
    names = sorted(songs[0])
    which = rng.integers(len(songs), size=(size, len(names)))
    where = rng.random((size, len(names)))
    if not remix:
        which[:] = which[:, :1]
        where[:] = where[:, :1]
    channels = songs[0][names[0]].shape[0]
    batch = torch.empty(size, len(names), channels, samples)
    for i in range(size):
        for j, name in enumerate(names):
            audio = songs[which[i, j]][name]
            start = int(where[i, j] * (audio.shape[1] - samples + 1))
            batch[i, j] = audio[:, start : start + samples]
    return batch.sum(1), {name: batch[:, j] for j, name in enumerate(names)}
""",
        "loss": """
def l1(estimate, target):
    return F.l1_loss(estimate, target)

def mse(estimate, target):
    return F.mse_loss(estimate, target)
""",
        "step": """
def train_step(network, optimizer, loss, mixture, target):
    network.train(True)
    estimate = network(mixture)
    value = loss(estimate, target)
    network.zero_grad()
    value.backward()
    optimizer.step()
    return float(value.detach())
""",
        "cosine": """
def cosine(step, steps, peak):
    if step >= steps:
        return 0.0
    return peak * np.cos(0.5 * np.pi * step / steps) ** 2
""",
        "validate": """
@torch.inference_mode()
def validate(network, loss, batches):
    was_training = network.training
    network.eval()
    total = 0.0
    for mixture, target in batches:
        total += float(loss(network(mixture), target))
    if was_training:
        network.train()
    return total / len(batches)
""",
        "fit": """
import copy

def fit(network, optimizer, take_step, check, rate, steps, every):
    history, recent, best = [], [], None
    for k in range(1, steps + 1):
        for group in optimizer.param_groups:
            group.update(lr=rate(k - 1))
        recent.append(take_step())
        if k % every and k != steps:
            continue
        row = dict(step=k, train_loss=float(np.mean(recent)), valid_loss=check())
        if not history or row["valid_loss"] < min(r["valid_loss"] for r in history):
            best = copy.deepcopy(network.state_dict())
        history.append(row)
        recent.clear()
    network.load_state_dict(best)
    return history
""",
        "separate": """
def separate(network, stft, song, target):
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        X = stft(song)
        Y = network(X.abs().unsqueeze(0)).squeeze(0) * torch.exp(1j * X.angle())
        y = stft.inverse(Y, song.shape[1])
        rest = song - y
    if was_training:
        network.train()
    return {"residual": rest, target: y}
""",
    },
    "an excerpt at a time, with a helper": {
        "draw": """
def _excerpt(song, names, samples, rng):
    length = next(iter(song.values())).shape[-1]
    start = int(rng.choice(length - samples + 1))
    return {name: song[name].narrow(-1, start, samples) for name in names}

def draw_batch(songs, size, samples, rng, remix):
    names, rows = tuple(songs[-1].keys()), []
    for _ in range(size):
        if remix:
            row = {}
            for name in names:
                row.update(_excerpt(songs[rng.choice(len(songs))], [name], samples, rng))
        else:
            row = _excerpt(songs[rng.choice(len(songs))], names, samples, rng)
        rows.append(row)
    stems = {name: torch.stack([row[name] for row in rows]) for name in names}
    mixture = torch.zeros_like(stems[names[0]])
    for name in names:
        mixture += stems[name]
    return mixture, stems
""",
        "loss": """
def l1(estimate, target):
    return torch.sum(torch.abs(target - estimate)) / target.numel()

def mse(estimate, target):
    gap = (target - estimate).reshape(-1)
    return gap @ gap / len(gap)
""",
        "fit": """
def fit(network, optimizer, take_step, check, rate, steps, every):
    due = sorted({*range(every, steps + 1, every), steps})
    history, done, best = [], 0, None
    for end in due:
        total, count = 0.0, 0
        while done < end:
            lr = rate(done)
            for group in optimizer.param_groups:
                group["lr"] = lr
            total += take_step()
            count += 1
            done += 1
        valid_loss = check()
        if best is None or valid_loss < best[0]:
            best = valid_loss, {k: v.detach().clone() for k, v in network.state_dict().items()}
        history.append({"valid_loss": valid_loss, "train_loss": total / count, "step": done})
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            tensor.copy_(best[1][name])
    return history
""",
    },
    "fancy indexing": {
        "draw": """
def draw_batch(songs, size, samples, rng, remix):
    names = list(songs[0])
    lengths = np.array([song[names[0]].shape[-1] for song in songs])
    stems = {}
    for count, name in enumerate(names):
        if remix or count == 0:
            chosen = rng.integers(0, len(songs), size)
            starts = rng.integers(0, lengths[chosen] - samples, endpoint=True)
        places = starts[:, None] + np.arange(samples)
        stems[name] = torch.stack([songs[s][name][:, p] for s, p in zip(chosen, places)])
    return torch.stack(list(stems.values())).sum(dim=0), stems
""",
        "cosine": """
def cosine(step, steps, peak):
    done = torch.clamp(torch.tensor(step / steps, dtype=torch.float64), 0, 1)
    return float(peak * (1 + torch.cos(torch.pi * done)) / 2)
""",
        "separate": """
def separate(network, stft, song, target):
    training = network.training
    try:
        network.eval()
        with torch.no_grad():
            spectrum = stft(song[None])
            magnitude = spectrum.abs()
            estimate = network(magnitude)
            unit = torch.where(magnitude > 0, spectrum / magnitude, 1)
            audio = stft.inverse(estimate * unit, song.shape[-1])[0]
    finally:
        network.train(training)
    return {target: audio, "residual": song - audio}
""",
    },
    "unfolded songs": {
        "draw": """
def draw_batch(songs, size, samples, rng, remix):
    windows = [{n: a.unfold(-1, samples, 1) for n, a in song.items()} for song in songs]
    names = list(songs[0])
    def one(song):
        return song, rng.integers(windows[song][names[0]].shape[1])
    picks = []
    for _ in range(size):
        same = one(rng.integers(len(songs)))
        picks.append({n: one(rng.integers(len(songs))) if remix else same for n in names})
    stems = {n: torch.stack([windows[p[n][0]][n][:, p[n][1]] for p in picks]) for n in names}
    mixture = 0
    for name in names:
        mixture = mixture + stems[name]
    return mixture, stems
""",
        "step": """
def train_step(network, optimizer, loss, mixture, target):
    network.train()
    for parameter in network.parameters():
        parameter.grad = None
    with torch.enable_grad():
        value = loss(network(mixture), target)
        value.backward()
    result = value.tolist()
    optimizer.step()
    return result
""",
    },
    "NumPy for what is random or summed": {
        "draw": """
def draw_batch(songs, size, samples, rng, remix):
    names = list(songs[0])
    arrays = [{n: a.numpy() for n, a in song.items()} for song in songs]
    out = {n: np.zeros((size, arrays[0][n].shape[0], samples), np.float32) for n in names}
    for i in range(size):
        song = arrays[int(rng.random() * len(songs))]
        start = int(rng.random() * (song[names[0]].shape[-1] - samples + 1))
        for n in names:
            if remix:
                song = arrays[int(rng.random() * len(songs))]
                start = int(rng.random() * (song[n].shape[-1] - samples + 1))
            out[n][i] = song[n][:, start : start + samples]
    stems = {n: torch.from_numpy(a) for n, a in out.items()}
    return torch.from_numpy(np.sum(list(out.values()), axis=0)), stems
""",
        "validate": """
def validate(network, loss, batches):
    mode = network.training
    network.train(False)
    with torch.no_grad():
        losses = torch.stack([loss(network(x), y) for x, y in batches])
    network.train(mode)
    return losses.double().mean().item()
""",
    },
    "the mode of every layer, one by one": {
        "validate": """
def validate(network, loss, batches):
    modes = {module: module.training for module in network.modules()}
    torch.set_grad_enabled(False)
    try:
        network.eval()
        values = []
        for batch in batches:
            values.append(float(loss(network(batch[0]), batch[1])))
        return float(np.mean(values))
    finally:
        torch.set_grad_enabled(True)
        for module, mode in modes.items():
            module.training = mode
""",
        "separate": """
def separate(network, stft, song, target):
    modes = {module: module.training for module in network.modules()}
    network.eval()
    with torch.no_grad():
        mixture = stft(song)
        phase = torch.atan2(mixture.imag, mixture.real)
        magnitude = network(torch.sqrt(mixture.real**2 + mixture.imag**2)[None])[0]
        spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        stem = stft.inverse(spectrum, song.shape[-1])
        rest = stft.inverse(mixture - spectrum, song.shape[-1])
    for module, mode in modes.items():
        module.training = mode
    return {target: stem, "residual": rest}
""",
    },
    "a copy of the network": {
        "validate": """
import copy

def validate(network, loss, batches):
    judge = copy.deepcopy(network).eval().requires_grad_(False)
    with torch.no_grad():
        values = [float(loss(judge(x), y)) for x, y in batches]
    return sum(values) / len(batches)
""",
        "fit": """
import copy

def fit(network, optimizer, take_step, check, rate, steps, every):
    history, kept, recent = [], [], []
    for step in range(steps):
        for i in range(len(optimizer.param_groups)):
            optimizer.param_groups[i]["lr"] = rate(step)
        recent += [take_step()]
        if (step + 1) % every == 0 or step + 1 == steps:
            history += [{"step": step + 1, "train_loss": sum(recent) / len(recent),
                         "valid_loss": check()}]
            kept += [copy.deepcopy(network)]
            recent = []
    best = np.argmin([row["valid_loss"] for row in history])
    network.load_state_dict(kept[best].state_dict())
    return history
""",
    },
    "a mask on the complex mixture": {
        "separate": """
def separate(network, stft, song, target):
    was = network.training
    network.eval()
    with torch.no_grad():
        X = stft(song)
        size = X.abs()
        estimate = network(size[None])[0]
        mask = estimate / torch.clamp(size, min=1e-20)
        vocals = stft.inverse(torch.where(size > 0, mask * X, 0), song.size(-1))
    network.train(was)
    return dict([(target, vocals), ("residual", song.sub(vocals))])
""",
        "step": """
def train_step(network, optimizer, loss, mixture, target):
    if not network.training:
        network.train()
    def closure():
        optimizer.zero_grad(set_to_none=False)
        value = loss(network(mixture), target)
        value.backward()
        return value
    return optimizer.step(closure).item()
""",
    },
    "the best on the disk": {
        "fit": """
import io

def fit(network, optimizer, take_step, check, rate, steps, every):
    history, memory, lowest, since = [], io.BytesIO(), float("inf"), []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        since.append(take_step())
        if (step + 1) % every == 0 or step == steps - 1:
            loss = check()
            history.append({"step": step + 1, "train_loss": np.mean(since), "valid_loss": loss})
            since = []
            if loss < lowest:
                lowest, memory = loss, io.BytesIO()
                torch.save(network.state_dict(), memory)
    memory.seek(0)
    network.load_state_dict(torch.load(memory))
    return history
""",
        "loss": """
l1 = nn.L1Loss()
mse = nn.MSELoss(reduction="mean")
""",
    },
}

_DRAW = """
def draw_batch(songs, size, samples, rng, remix):
    names = list(songs[0])
    pieces = {name: [] for name in names}
    for _ in range(size):
        for count, name in enumerate(names):
            if remix or count == 0:
                song = songs[rng.integers(len(songs))]
                start = rng.integers(song[name].shape[-1] - samples + 1)
            pieces[name].append(song[name][:, start : start + samples])
    stems = {name: torch.stack(pieces[name]) for name in names}
    return sum(stems.values()), stems
"""
_STEP = """
def train_step(network, optimizer, loss, mixture, target):
    network.train()
    optimizer.zero_grad()
    value = loss(network(mixture), target)
    value.backward()
    optimizer.step()
    return value.item()
"""
_VALIDATE = """
def validate(network, loss, batches):
    mode = network.training
    network.eval()
    with torch.no_grad():
        values = [loss(network(mixture), target).item() for mixture, target in batches]
    network.train(mode)
    return sum(values) / len(values)
"""
_FIT = """
def fit(network, optimizer, take_step, check, rate, steps, every):
    history, losses, best, lowest = [], [], None, math.inf
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        losses.append(take_step())
        done = step + 1
        if done % every == 0 or done == steps:
            valid_loss = check()
            train_loss = sum(losses) / len(losses)
            history.append({"step": done, "train_loss": train_loss, "valid_loss": valid_loss})
            losses = []
            if valid_loss < lowest:
                lowest = valid_loss
                best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.load_state_dict(best)
    return history
"""
_SEPARATE = """
def separate(network, stft, song, target):
    mode = network.training
    network.eval()
    with torch.no_grad():
        mixture = stft(song)
        magnitude = network(mixture.abs()[None])[0]
        estimate = stft.inverse(torch.polar(magnitude, mixture.angle()), song.shape[-1])
    network.train(mode)
    return {target: estimate, "residual": song - estimate}
"""


def _slip(source, *changes):
    """A right answer with a slip: each change is (what stood there, what the student wrote)."""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


_COPY = "{name: tensor.clone() for name, tensor in network.state_dict().items()}"
_DRAWN = {"draw-test", "remix-test", "places-test"}

WRONG = {
    # Examples.
    "never the last sample": (
        {"draw": _slip(_DRAW, ("- samples + 1)", "- samples)"))},
        {"places-test"},
    ),
    "never the last sample, and no crash": (
        {"draw": _slip(_DRAW, ("song[name].shape[-1] - samples + 1",
                               "max(1, song[name].shape[-1] - samples)"))},
        {"places-test"},
    ),
    "rounded places": (
        {"draw": _slip(_DRAW, ("rng.integers(song[name].shape[-1] - samples + 1)",
                               "round(rng.random() * (song[name].shape[-1] - samples))"))},
        {"places-test"},
    ),
    "always from the beginning": (
        {"draw": _slip(_DRAW, ("rng.integers(song[name].shape[-1] - samples + 1)", "0"))},
        {"remix-test", "places-test"},
    ),
    "one place for the whole batch": (
        {"draw": _slip(
            _DRAW,
            ("    for _ in range(size):",
             "    place = rng.random()\n    for _ in range(size):"),
            ("rng.integers(song[name].shape[-1] - samples + 1)",
             "int(place * (song[name].shape[-1] - samples + 1))"),
        )},
        {"remix-test", "places-test"},
    ),
    "one song for the whole batch": (
        {"draw": """
def draw_batch(songs, size, samples, rng, remix):
    stems, song = {}, songs[rng.integers(len(songs))]
    starts = rng.integers(next(iter(song.values())).shape[-1] - samples + 1, size=size)
    for name in songs[0]:
        if remix:
            song = songs[rng.integers(len(songs))]
            starts = rng.integers(song[name].shape[-1] - samples + 1, size=size)
        stems[name] = torch.stack([song[name][:, s : s + samples] for s in starts])
    return sum(stems.values()), stems
"""},
        {"draw-test", "remix-test"},
    ),
    "the remix flag forgotten": (
        {"draw": _slip(_DRAW, ("if remix or count == 0:", "if count == 0:"))},
        {"remix-test"},
    ),
    "always remixed": (
        {"draw": _slip(_DRAW, ("            if remix or count == 0:\n", "            if True:\n"))},
        {"draw-test"},
    ),
    "remixed, but all from the same place": (
        {"draw": """
def draw_batch(songs, size, samples, rng, remix):
    shortest = min(stem.shape[-1] for song in songs for stem in song.values())
    pieces = {name: [] for name in songs[0]}
    for _ in range(size):
        song = songs[rng.integers(len(songs))]
        length = shortest if remix else next(iter(song.values())).shape[-1]
        start = rng.integers(length - samples + 1)
        for name in songs[0]:
            if remix:
                song = songs[rng.integers(len(songs))]
            pieces[name].append(song[name][:, start : start + samples])
    stems = {name: torch.stack(pieces[name]) for name in songs[0]}
    return sum(stems.values()), stems
"""},
        {"remix-test"},
    ),
    "no two stems from the same song": (
        {"draw": """
def draw_batch(songs, size, samples, rng, remix):
    names = list(songs[0])
    pieces = {name: [] for name in names}
    for _ in range(size):
        order = rng.permutation(len(songs))
        for count, name in enumerate(names):
            if remix or count == 0:
                song = songs[order[count % len(songs)]]
                start = rng.integers(song[name].shape[-1] - samples + 1)
            pieces[name].append(song[name][:, start : start + samples])
    stems = {name: torch.stack(pieces[name]) for name in names}
    return sum(stems.values()), stems
"""},
        {"remix-test"},
    ),
    "the mixture of the songs as they were": (
        {"draw": _slip(
            _DRAW,
            ("    for _ in range(size):", "    mixtures = []\n    for _ in range(size):"),
            ("        for count, name in enumerate(names):",
             "        song = None\n        for count, name in enumerate(names):"),
            ("            pieces[name].append",
             "            if count == 0:\n"
             "                mixtures.append(sum(song.values())[:, start : start + samples])\n"
             "            pieces[name].append"),
            ("return sum(stems.values())", "return torch.stack(mixtures)"),
        )},
        {"remix-test"},
    ),
    "the mean for the sum": (
        {"draw": _slip(_DRAW, ("sum(stems.values()), stems",
                               "torch.stack(list(stems.values())).mean(0), stems"))},
        {"draw-test", "remix-test"},
    ),
    "four stems by name": (
        {"draw": _slip(_DRAW, ("list(songs[0])", '["vocals", "drums", "bass", "other"]'))},
        _DRAWN,
    ),
    "stems by their order": (
        {"draw": _slip(_DRAW, ("song[name][:, start", "list(song.values())[count][:, start"))},
        _DRAWN,
    ),
    "mono": (
        {"draw": _slip(_DRAW, ("song[name][:, start : start + samples])",
                               "song[name][:, start : start + samples].mean(0, keepdim=True))"))},
        _DRAWN,
    ),
    "a generator of its own": (
        {"draw": _slip(_DRAW, ("    names =", "    rng = np.random.default_rng(0)\n    names ="))},
        {"draw-test", "places-test"},
    ),
    "randomness from elsewhere": (
        {"draw": _slip(_DRAW, ("rng.integers", "np.random.randint"))},
        {"draw-test", "remix-test"},
    ),
    "long songs are likelier": (
        {"draw": _slip(
            _DRAW,
            ("songs[rng.integers(len(songs))]", "songs[rng.choice(len(songs), p=share)]"),
            ("    names = list(songs[0])",
             "    names = list(songs[0])\n"
             "    share = np.array([s[names[0]].shape[-1] for s in songs], float)\n"
             "    share /= share.sum()"),
        )},
        {"draw-test", "remix-test"},
    ),
    "each song once in a batch": (
        {"draw": """
def draw_batch(songs, size, samples, rng, remix):
    names = list(songs[0])
    pieces = {name: [] for name in names}
    for song in (songs[i] for i in rng.choice(len(songs), size, replace=False)):
        start = rng.integers(song[names[0]].shape[-1] - samples + 1)
        for name in names:
            pieces[name].append(song[name][:, start : start + samples])
    stems = {name: torch.stack(pieces[name]) for name in names}
    return sum(stems.values()), stems
"""},
        _DRAWN,
    ),
    # The loss.
    "the sum for the mean": (
        {"loss": """
def l1(estimate, target):
    return (estimate - target).abs().sum()

def mse(estimate, target):
    return (estimate - target).square().sum()
"""},
        {"loss-test"},
    ),
    "the mean over the batch only": (
        {"loss": """
def l1(estimate, target):
    return (estimate - target).abs().sum() / len(estimate)

def mse(estimate, target):
    return (estimate - target).square().sum() / len(estimate)
"""},
        {"loss-test"},
    ),
    "errors that cancel": (
        {"loss": """
def l1(estimate, target):
    return (estimate - target).mean().abs()

def mse(estimate, target):
    return (estimate - target).square().mean()
"""},
        {"loss-test"},
    ),
    "the root of the mean square": (
        {"loss": """
def l1(estimate, target):
    return F.l1_loss(estimate, target)

def mse(estimate, target):
    return torch.norm(estimate - target) / target.numel() ** 0.5
"""},
        {"loss-test"},
    ),
    "floats without a gradient": (
        {"loss": """
def l1(estimate, target):
    return (estimate - target).abs().mean().item()

def mse(estimate, target):
    return (estimate - target).square().mean().item()
"""},
        {"loss-test"},
    ),
    "the numbers of the visible test": (
        {"loss": """
def l1(estimate, target):
    return (estimate - target).abs().sum() / 60

def mse(estimate, target):
    return (estimate - target).square().sum() / 60
"""},
        {"loss-test"},
    ),
    # The step.
    "loss on the mixture": (
        {"step": _slip(_STEP, ("(network(mixture), target)", "(network(mixture), mixture)"))},
        {"step-test"},
    ),
    "gradients add up": (
        {"step": _slip(_STEP, ("    optimizer.zero_grad()\n", ""))},
        {"step-test"},
    ),
    "gradients forgotten too early": (
        {"step": _slip(_STEP, ("    optimizer.zero_grad()\n", ""),
                       ("    optimizer.step()",
                        "    optimizer.zero_grad()\n    optimizer.step()"))},
        {"step-test"},
    ),
    "gradients forgotten afterwards": (
        {"step": _slip(_STEP, ("    optimizer.zero_grad()\n", ""),
                       ("    optimizer.step()",
                        "    optimizer.step()\n    optimizer.zero_grad()"))},
        {"step-test"},
    ),
    "the mode as it comes": (
        {"step": _slip(_STEP, ("    network.train()\n", ""))},
        {"step-test"},
    ),
    "trained in evaluation mode": (
        {"step": _slip(_STEP, ("network.train()", "network.eval()"))},
        {"step-test"},
    ),
    "no step": (
        {"step": _slip(_STEP, ("    optimizer.step()\n", ""))},
        {"step-test"},
    ),
    "a tensor with its graph": (
        {"step": _slip(_STEP, ("value.item()", "value"))},
        {"step-test"},
    ),
    "a detached tensor": (
        {"step": _slip(_STEP, ("value.item()", "value.detach()"))},
        {"step-test"},
    ),
    "the loss after the step": (
        {"step": _slip(_STEP, ("value.item()", "loss(network(mixture), target).item()"))},
        {"step-test"},
    ),
    "target and estimate swapped": (
        {"step": _slip(_STEP, ("loss(network(mixture), target)",
                               "loss(target, network(mixture))"))},
        {"step-test"},
    ),
    "a loss of its own": (
        {"step": _slip(_STEP, ("loss(network", "F.l1_loss(network"))},
        {"step-test"},
    ),
    "an optimiser of its own": (
        {"step": _slip(_STEP, ("    network.train()", "    network.train()\n    optimizer = "
                               "torch.optim.Adam(network.parameters(), lr=1e-2)"))},
        {"step-test"},
    ),
    # The schedule.
    "a cosine that stops at a tenth": (
        {"cosine": """
def cosine(step, steps, peak):
    return 0.1 * peak + 0.45 * peak * (1 + math.cos(math.pi * min(step / steps, 1)))
"""},
        {"cosine-test"},
    ),
    "a cosine that rises": (
        {"cosine": """
def cosine(step, steps, peak):
    return peak * 0.5 * (1 - math.cos(math.pi * min(step / steps, 1)))
"""},
        {"cosine-test"},
    ),
    "a quarter of a period": (
        {"cosine": """
def cosine(step, steps, peak):
    return peak * math.cos(math.pi / 2 * min(step / steps, 1))
"""},
        {"cosine-test"},
    ),
    "a straight line": (
        {"cosine": """
def cosine(step, steps, peak):
    return peak * max(0, 1 - step / steps)
"""},
        {"cosine-test"},
    ),
    "up again after the end": (
        {"cosine": """
def cosine(step, steps, peak):
    return peak * 0.5 * (1 + math.cos(math.pi * step / steps))
"""},
        {"cosine-test"},
    ),
    "zero one step too early": (
        {"cosine": """
def cosine(step, steps, peak):
    return peak * 0.5 * (1 + math.cos(math.pi * min(step / max(steps - 1, 1), 1)))
"""},
        {"cosine-test"},
    ),
    "a hundred steps, always": (
        {"cosine": """
def cosine(step, steps, peak):
    return peak * 0.5 * (1 + math.cos(math.pi * min(step / 100, 1)))
"""},
        {"cosine-test"},
    ),
    # Validation.
    "eval mode forgotten": (
        {"validate": _slip(_VALIDATE, ("    network.eval()\n", ""))},
        {"validate-test"},
    ),
    "train mode not restored": (
        {"validate": _slip(_VALIDATE, ("    network.train(mode)\n", ""))},
        {"validate-test"},
    ),
    "train mode, whatever it was": (
        {"validate": _slip(_VALIDATE, ("network.train(mode)", "network.train()"))},
        {"validate-test"},
    ),
    "with gradients": (
        {"validate": _slip(_VALIDATE, ("with torch.no_grad():", "if True:"))},
        {"validate-test"},
    ),
    "gradients switched off for good": (
        {"validate": _slip(_VALIDATE, ("with torch.no_grad():",
                                       "torch.set_grad_enabled(False)\n    if True:")),
         "separate": "torch.set_grad_enabled(True)\n" + _SEPARATE},
        {"validate-test"},
    ),
    "stored gradients wiped": (
        {"validate": _slip(_VALIDATE, ("    network.eval()", "    network.zero_grad()\n"
                                       "    network.eval()"))},
        {"validate-test"},
    ),
    "the sum over the batches": (
        {"validate": _slip(_VALIDATE, (" / len(values)", ""))},
        {"validate-test"},
    ),
    "only the last batch": (
        {"validate": _slip(_VALIDATE, ("sum(values) / len(values)", "values[-1]"))},
        {"validate-test"},
    ),
    "large batches count more": (
        {"validate": _slip(_VALIDATE, (
            "sum(values) / len(values)",
            "float(np.average(values, weights=[len(mixture) for mixture, _ in batches]))"))},
        {"validate-test"},
    ),
    "the loss of the mixture": (
        {"validate": _slip(_VALIDATE, ("loss(network(mixture), target)", "loss(mixture, target)"))},
        {"validate-test"},
    ),
    # The loop.
    "the best by reference": (
        {"fit": _slip(_FIT, (_COPY, "network.state_dict()"))},
        {"fit-test"},
    ),
    "a shallow copy": (
        {"fit": _slip(_FIT, (_COPY, "dict(network.state_dict())"))},
        {"fit-test"},
    ),
    "detached, not copied": (
        {"fit": _slip(_FIT, ("tensor.clone()", "tensor.detach()"))},
        {"fit-test"},
    ),
    "the last, not the best": (
        {"fit": _slip(_FIT, ("    network.load_state_dict(best)\n", ""))},
        {"fit-test"},
    ),
    "the highest loss": (
        {"fit": _slip(_FIT, ("valid_loss < lowest", "valid_loss > lowest"),
                      ("None, math.inf", "None, -math.inf"))},
        {"fit-test"},
    ),
    "the best training loss": (
        {"fit": _slip(_FIT, ("if valid_loss < lowest", "if train_loss < lowest"),
                      ("lowest = valid_loss", "lowest = train_loss"))},
        {"fit-test"},
    ),
    "the first that is better than 1": (
        {"fit": _slip(_FIT, ("None, math.inf", "None, 1.0"),
                      ("    network.load_state_dict(best)",
                       "    if best:\n        network.load_state_dict(best)"))},
        {"fit-test"},
    ),
    "better than the previous, not than the best": (
        {"fit": _slip(_FIT, ("                lowest = valid_loss\n", ""),
                      ("    network.load", "            lowest = valid_loss\n    network.load"))},
        {"fit-test"},
    ),
    "weights without buffers": (
        {"fit": _slip(_FIT, ("network.state_dict().items()", "network.named_parameters()"),
                      ("load_state_dict(best)", "load_state_dict(best, strict=False)"))},
        {"fit-test"},
    ),
    "another network": (
        {"fit": "import copy\n" + _slip(_FIT, (_COPY, "copy.deepcopy(network)"),
                                        ("network.load_state_dict(best)", "network = best"))},
        {"fit-test"},
    ),
    "the rate in the first group only": (
        {"fit": _slip(_FIT, ("in optimizer.param_groups:", "in optimizer.param_groups[:1]:"))},
        {"fit-test"},
    ),
    "the rate after the step": (
        {"fit": _slip(_FIT, ("        losses.append(take_step())\n", ""),
                      ("        for group", "        losses.append(take_step())\n"
                       "        for group"))},
        {"fit-test"},
    ),
    "the rate of the next step": (
        {"fit": _slip(_FIT, ("rate(step)", "rate(step + 1)"))},
        {"fit-test"},
    ),
    "no validation at the end": (
        {"fit": _slip(_FIT, (" or done == steps", ""))},
        {"fit-test"},
    ),
    "validated before the step": (
        {"fit": _slip(_FIT, ("done % every == 0 or done == steps", "step % every == 0"))},
        {"fit-test"},
    ),
    "a second row at the end": (
        {"fit": _slip(_FIT, (" or done == steps", ""), ("    network.load", """
    if losses == [] or True:
        history.append({"step": steps, "train_loss": train_loss, "valid_loss": check()})
    network.load"""))},
        {"fit-test"},
    ),
    "the mean of all training losses": (
        {"fit": _slip(_FIT, ("            losses = []\n", ""))},
        {"fit-test"},
    ),
    "the last training loss": (
        {"fit": _slip(_FIT, ("sum(losses) / len(losses)", "losses[-1]"))},
        {"fit-test"},
    ),
    # Separation.
    "the magnitude as it is, without a phase": (
        {"separate": _slip(_SEPARATE, ("torch.polar(magnitude, mixture.angle())",
                                       "magnitude.to(mixture.dtype)"))},
        {"separate-test"},
    ),
    "the magnitude as phase": (
        {"separate": _slip(_SEPARATE, ("mixture.angle()", "mixture.abs()"))},
        {"separate-test"},
    ),
    "the magnitude times the mixture": (
        {"separate": _slip(_SEPARATE, ("torch.polar(magnitude, mixture.angle())",
                                       "magnitude * mixture"))},
        {"separate-test"},
    ),
    "not a number in silence": (
        {"separate": _slip(_SEPARATE, ("torch.polar(magnitude, mixture.angle())",
                                       "magnitude * mixture / mixture.abs()"))},
        {"separate-test"},
    ),
    "one hop too short": (
        {"separate": _slip(
            _SEPARATE,
            ("song.shape[-1])", "(mixture.shape[-1] - 1) * stft.hop_length)"),
            ("song - estimate", "song[:, : estimate.shape[-1]] - estimate"),
        )},
        {"separate-test"},
    ),
    "no residual but the song": (
        {"separate": _slip(_SEPARATE, ("song - estimate", "song"))},
        {"separate-test"},
    ),
    "the residual of magnitudes": (
        {"separate": _slip(_SEPARATE, (
            "song - estimate",
            "stft.inverse(torch.polar((mixture.abs() - magnitude).clamp(min=0), mixture.angle()), "
            "song.shape[-1])"))},
        {"separate-test"},
    ),
    "target and residual exchanged": (
        {"separate": _slip(_SEPARATE, ('{target: estimate, "residual": song - estimate}',
                                       '{"residual": estimate, target: song - estimate}'))},
        {"separate-test"},
    ),
    "no more than the mixture": (
        {"separate": _slip(_SEPARATE, ("[None])[0]", "[None])[0].minimum(mixture.abs())"))},
        {"separate-test"},
    ),
    "separated in train mode": (
        {"separate": _slip(_SEPARATE, ("    network.eval()\n", ""))},
        {"separate-test"},
    ),
    "left in eval mode": (
        {"separate": _slip(_SEPARATE, ("    network.train(mode)\n", ""))},
        {"separate-test"},
    ),
    "stems with a graph": (
        {"separate": _slip(_SEPARATE, ("with torch.no_grad():", "if True:"))},
        {"separate-test"},
    ),
    "no batch axis": (
        {"separate": _slip(_SEPARATE, ("[None])[0]", ")"))},
        {"separate-test"},
    ),
    "an STFT of its own": (
        {"separate": _slip(_SEPARATE, ("    mode =", "    stft = STFT(4096, 1024)\n    mode ="))},
        {"separate-test"},
    ),
    "vocals, whatever was asked for": (
        {"separate": _slip(_SEPARATE, ("{target: estimate", '{"vocals": estimate'))},
        {"separate-test"},
    ),
}  # fmt: skip

# The songs and the figure stand after all tests; once through them is enough.
for _case in [*RIGHT.values(), *(changed for changed, _ in WRONG.values())]:
    if _case:
        _case.update(songs="", figure="")
