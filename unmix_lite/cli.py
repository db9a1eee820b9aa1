"""The command line: `unmix-lite separate | train | evaluate | corpus`."""

import argparse
import sys
from pathlib import Path

from . import __version__
from .errors import UnmixError

FORMATS = ("wav", "flac", "ogg", "mp3")

EPILOG = """\
exit codes: 0 done; 1 something could not be done (one line says what); 2 the command was not
understood; 130 stopped with Ctrl-C (start the same command again and it goes on)."""


def main(arguments=None):
    """Run one command; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except UnmixError as error:
        return _fail(error)
    except OSError as error:
        return _fail(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "))
    except KeyboardInterrupt:
        print("unmix-lite: stopped; what was finished is kept.", file=sys.stderr)
        return 130


def parser():
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="unmix-lite",
        description="Take songs apart into vocals, drums, bass and the rest; train and score what does.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"unmix-lite {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for add in (_add_separate, _add_train, _add_evaluate, _add_corpus):
        add(commands)
    return top


def _add(commands, name, run, summary, description):
    command = commands.add_parser(
        name, help=summary, description=description, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    command.set_defaults(run=run)
    return command


def _add_device(command):
    command.add_argument(
        "--device", help="where to compute: cpu, cuda, mps (default: a GPU where there is one)"
    )


def _add_separate(commands):
    command = _add(
        commands, "separate", separate, "split songs into stems",
        "Split songs into stems.\n\n"
        "  unmix-lite separate song.mp3 -o stems\n\n"
        "writes stems/song/vocals.wav, drums.wav, bass.wav and other.wav, each of the song's length\n"
        "and sampling rate; together they are the song. Reads WAV, FLAC, OGG, MP3, AIFF, and with\n"
        "ffmpeg M4A and MP4. Songs whose stems are there already are skipped.",
    )  # fmt: skip
    command.add_argument("inputs", nargs="+", metavar="INPUT", type=Path, help="sound files, mono or stereo")
    command.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the stems")
    command.add_argument("--model", metavar="NAME_OR_DIR", default="umx-lite", help="a model that comes along, or a folder that 'train' filled (default: umx-lite)")  # fmt: skip
    command.add_argument("--targets", nargs="+", metavar="STEM", help="only these stems, for example: vocals drums")
    command.add_argument("--iterations", type=_count, default=1, metavar="N", help="rounds of the Wiener filter that makes the stems add up to the song; 0 leaves it out (default: 1)")  # fmt: skip
    command.add_argument("--residual", action="store_true", help="also write residual: what the stems leave over")
    command.add_argument("--format", choices=FORMATS, default="wav", help="kind of file to write (default: wav)")
    command.add_argument("--overwrite", action="store_true", help="separate again where stems are there already")
    _add_device(command)


def separate(options):
    """Separate each input into OUTPUT/<song>/<target>.<format>; a failing song is reported."""
    from tqdm import tqdm

    from .separator import Separator

    folders = {}
    for path in options.inputs:
        folder = options.output / path.name.removesuffix(".mp4").removesuffix(".stem").removesuffix(path.suffix)
        if folder in folders:
            raise UnmixError(
                f"{folders[folder]} and {path} would both be written to {folder}; separate them "
                "into different folders."
            )
        folders[folder] = path
    separator = Separator.from_pretrained(
        options.model, _device(options.device), options.targets,
        iterations=options.iterations, residual=options.residual,
    )  # fmt: skip
    failed = 0
    # One bar for several songs; a single song says what it is doing in words.
    for folder, path in tqdm(folders.items(), unit="song", disable=len(folders) == 1 or None):
        try:
            _separate_one(separator, path, folder, options)
        except UnmixError as error:
            failed = _fail(error)
    return failed


def _separate_one(separator, path, folder, options):
    from .audio import load_audio, save_audio

    files = {target: folder / f"{target}.{options.format}" for target in separator.targets}
    if not options.overwrite and all(file.is_file() for file in files.values()):
        print(f"{path}: its stems are in {folder} already; --overwrite separates it again.")
        return
    if not options.overwrite and (there := [file for file in files.values() if file.exists()]):
        # Some are there: of an interrupted run, or of the user's own. Do not decide which.
        raise UnmixError(f"{path}: {there[0]} is there already; --overwrite replaces it.")
    audio, rate = load_audio(path)
    if rate < 16000:
        print(f"{path}: at {rate} Hz it holds nothing above {rate // 2} Hz, nor will its stems.")
    stems = separator(audio, rate)
    peak = max(float(stem.abs().max()) for stem in stems.values())
    if peak > 1 and options.format != "wav":
        # All stems by the same amount, so that they still add up to the song, only softer.
        import math

        print(f"{path}: lowered by {20 * math.log10(peak):.1f} dB so that nothing clips in {options.format}.")
        stems = {target: stem / peak for target, stem in stems.items()}
    _write_together({files[target]: stem for target, stem in stems.items()}, rate, save_audio)
    print(f"{path}: {', '.join(file.name for file in files.values())} in {folder}")


def _write_together(stems, rate, save):
    """All stems or none: a full disk half-way through must not leave a song that looks done."""
    written = []
    try:
        for file, stem in stems.items():
            save(file, stem, rate)
            written.append(file)
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise


def _add_train(commands):
    command = _add(
        commands, "train", train, "train networks on songs with stems",
        "Train one Open-Unmix per stem, and keep the weights that do best on validation songs.\n\n"
        "  unmix-lite train --corpus band --targets vocals -o my-model\n"
        "  unmix-lite separate song.mp3 -o stems --model my-model\n\n"
        "Stop it whenever you like; the same command goes on where it stopped.",
    )  # fmt: skip
    command.add_argument("--corpus", default="auto", metavar="NAME_OR_DIR", help="auto, band, preview, musdb, or a folder with train/ and test/ (default: auto)")  # fmt: skip
    command.add_argument("--targets", nargs="+", default=["vocals", "drums", "bass", "other"], metavar="STEM", help="stems to train a network for (default: all four)")  # fmt: skip
    command.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for weights, curves and state")  # fmt: skip
    command.add_argument("--steps", type=_positive, default=2000, metavar="N", help="steps of the optimiser (default: 2000)")  # fmt: skip
    command.add_argument("--batch-size", type=_positive, default=16, metavar="N", help="excerpts per step (default: 16)")
    command.add_argument("--seconds", type=float, default=3.0, metavar="S", help="length of an excerpt (default: 3)")
    command.add_argument("--hidden-size", type=_positive, default=256, metavar="N", help="width of the network (default: 256)")  # fmt: skip
    command.add_argument("--unidirectional", action="store_true", help="look only into the past, for live use")
    command.add_argument("--loss", choices=("l1", "mse"), default="mse", help="what to minimise (default: mse)")
    command.add_argument("--learning-rate", type=float, default=1e-3, metavar="R", help="Adam's (default: 0.001)")
    command.add_argument("--schedule", choices=("cosine", "constant"), default="cosine", help="how the learning rate goes (default: cosine)")  # fmt: skip
    command.add_argument("--valid-every", type=_positive, default=100, metavar="N", help="steps between validations (default: 100)")  # fmt: skip
    command.add_argument("--seed", type=_count, default=42, metavar="N", help="everything random follows from it (default: 42)")  # fmt: skip
    _add_device(command)


def train(options):
    """Train the targets one after the other into OUTPUT."""
    from .corpora import TARGETS, open_corpus
    from .training import TrainingConfig
    from .training import train as fit

    corpus = open_corpus(options.corpus)
    print(corpus)
    tracks, valid = corpus.tracks("train"), corpus.tracks("valid")
    known = set(options.targets) <= set(TARGETS)
    sources = TARGETS if known else tuple(tracks[0].stems())
    fields = ("steps", "batch_size", "seconds", "hidden_size", "unidirectional", "loss",
              "learning_rate", "schedule", "valid_every", "seed")  # fmt: skip
    recipe = {field: getattr(options, field) for field in fields}
    # All recipes are checked before the first hour is spent.
    configs = [TrainingConfig(target=target, sources=sources, **recipe) for target in options.targets]
    for config in configs:
        history = fit(config, tracks, valid, options.output, _device(options.device))
        best = min(history, key=lambda row: row["valid_loss"])
        print(f"{config.target}: best validation loss {best['valid_loss']:.4f} at step {best['step']}")
    print(f"the weights are in {options.output}; use them with: --model {options.output}")


def _add_evaluate(commands):
    command = _add(
        commands, "evaluate", evaluate, "score a model on songs with stems",
        "Score a model with BSS Eval v4 (SDR, ISR, SIR, SAR) on songs whose true stems are known.\n\n"
        "  unmix-lite evaluate --model umx-lite --corpus preview -o scores\n\n"
        "writes one JSON per song as museval does, scores.csv and a picture; songs that are scored\n"
        "already are skipped.",
    )  # fmt: skip
    command.add_argument("--model", default="umx-lite", metavar="NAME_OR_DIR", help="as for separate, or 'mixture' for the song itself as every stem (default: umx-lite)")  # fmt: skip
    command.add_argument("--corpus", default="auto", metavar="NAME_OR_DIR", help="as for train (default: auto)")
    command.add_argument("--split", choices=("test", "valid", "train"), default="test", help="which songs (default: test)")  # fmt: skip
    command.add_argument("--targets", nargs="+", metavar="STEM", help="stems to score (default: all four)")
    command.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the scores")
    command.add_argument("--sdr-only", action="store_true", help="SDR alone, without waiting for the others")
    command.add_argument("--iterations", type=_count, default=1, metavar="N", help="rounds of the Wiener filter (default: 1)")  # fmt: skip
    _add_device(command)


def evaluate(options):
    """Score a model on one split and print the table."""
    from .corpora import open_corpus
    from .evaluation import evaluate as score
    from .evaluation import mixture_estimate
    from .evaluation.scores import table
    from .separator import Separator

    corpus = open_corpus(options.corpus)
    print(corpus)
    if options.model == "mixture":
        separate_song, name = mixture_estimate, "mixture"
    else:
        separate_song = Separator.from_pretrained(
            options.model, _device(options.device), iterations=options.iterations
        )
        name = f"{options.model}, {options.iterations} EM iterations"
    scores = score(
        separate_song, corpus.tracks(options.split), options.output, options.targets,
        metrics="sdr" if options.sdr_only else "all", model=name,
    )  # fmt: skip
    print(table(scores))
    print(f"in {options.output}: scores.csv, scores.png, and museval's JSON per song")


def _add_corpus(commands):
    command = _add(
        commands, "corpus", corpus, "render or fetch a data set, and say what is in it",
        "Make a data set ready and say where it lies and what is in it.\n\n"
        "  unmix-lite corpus band       render the generated band (seconds, no network)\n"
        "  unmix-lite corpus preview    download the 7 s preview of MUSDB18 (140 MB, once)\n"
        "  unmix-lite corpus            what the notebooks would use, and why",
    )  # fmt: skip
    command.add_argument("name", nargs="?", default="auto", metavar="NAME_OR_DIR", help="auto, band, preview, musdb, or a folder (default: auto)")  # fmt: skip
    command.add_argument("-o", "--output", metavar="DIR", type=Path, help="render the band into this folder instead of the cache")  # fmt: skip
    command.add_argument("--seed", type=_count, help="of another band (with 'band' and --output)")


def corpus(options):
    """Open or render a data set and list its splits."""
    from .corpora import SPLITS, CorpusError, open_corpus

    name = options.name
    if options.output or options.seed is not None:
        from .corpora.band import render_band

        if name != "band" or not options.output:
            raise UnmixError("--output and --seed go together with 'band': corpus band -o DIR [--seed N].")
        name = render_band(options.output, seed=options.seed or 0)
    opened = open_corpus(name)
    print(opened)
    for split in SPLITS:
        try:
            tracks = opened.tracks(split)
        except CorpusError:
            tracks = []
        print(f"  {split}: {len(tracks)} songs" + (f", {tracks[0].name} the first" if tracks else ""))


def _fail(message):
    print(f"unmix-lite: {message}", file=sys.stderr)
    return 1


def _device(name):
    """A device that exists, or one line."""
    import torch

    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UnmixError(f"the device '{name}' is not there; use cpu, or leave --device out.") from error
    return name


def _count(text):
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return number


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number
