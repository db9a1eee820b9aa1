"""The commands and options of `unmix-lite`, in words for musicians. What they do: cli.py."""

import argparse
from pathlib import Path
from typing import TypeAlias

from .. import __version__
from ..names import COUPLED, EXPORT_FORMATS, TARGETS
from .argument_types import count, positive
from .recipe_options import add_recipe_options

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

FORMATS = ("wav", "flac", "ogg", "mp3")

EPILOG = """\
exit codes: 0 done; 1 something could not be done (one line says what); 2 the command was not
understood; 130 stopped with Ctrl-C (start the same command again and it goes on)."""


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="unmix-lite",
        description="Take songs apart into vocals, drums, bass and the rest; train, and score.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"unmix-lite {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for add in (_add_separate, _add_train, _add_evaluate, _add_ladder, _add_corpus, _add_export):
        add(commands)
    return top


def _add(
    commands: Subparsers, name: str, summary: str, description: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device", help="where to compute: cpu, cuda, mps (default: a GPU where there is one)"
    )


def _add_separate(commands: Subparsers) -> None:
    command = _add(
        commands,
        "separate",
        "split songs into stems",
        "Split songs into stems.\n\n"
        "  unmix-lite separate song.mp3 -o stems\n\n"
        "writes stems/song/vocals.wav, drums.wav, bass.wav and other.wav, each of the song's\n"
        "length and sampling rate; together they are the song. Reads WAV, FLAC, OGG, MP3, AIFF,\n"
        "and with ffmpeg M4A and MP4. Songs whose stems already exist are skipped.",
    )
    command.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        type=Path,
        help="sound files, mono or stereo; folders of them; patterns such as 'album/*.mp3'",
    )
    command.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the stems"
    )
    command.add_argument(
        "--model",
        metavar="NAME_OR_DIR",
        default="umx-lite",
        help="a bundled model (umx-lite, umx-lite-live, wave-u-net-lite, "
        "deep-conv-sep-lite, wavenet-lite, vocal-cnn-lite); one that its authors published, "
        "downloaded once (umx, umxhq, umxl, umxse, hdemucs); or a folder that 'train' filled "
        "(default: umx-lite)",
    )
    command.add_argument(
        "--targets", nargs="+", metavar="STEM", help="only these stems, for example: vocals drums"
    )
    command.add_argument(
        "--iterations",
        type=count,
        metavar="N",
        help="rounds of the Wiener filter that makes the stems add up to the song; 0: none "
        "(default: 3; 1 for umx, umxhq, umxl and umxse; 0 for live models)",
    )
    command.add_argument(
        "--residual", action="store_true", help="also write what the stems leave over, as residual"
    )
    command.add_argument(
        "--format", choices=FORMATS, default="wav", help="kind of file to write (default: wav)"
    )
    command.add_argument(
        "--song-names",
        action="store_true",
        help="call the stems 'song - vocals.wav' and so on, not vocals.wav",
    )
    command.add_argument(
        "--overwrite", action="store_true", help="separate again where the stems already exist"
    )
    _add_device(command)


def _add_train(commands: Subparsers) -> None:
    command = _add(
        commands,
        "train",
        "train networks on songs with stems",
        "Train one Open-Unmix per stem (or another --network for all), and keep the weights that\n"
        "do best on validation songs.\n\n"
        "  unmix-lite train --corpus band --targets vocals --minutes 10 -o my-model\n"
        "  unmix-lite separate song.mp3 -o stems --model my-model\n\n"
        "Any folder with train/Song/piano.wav, guitar.wav ... will do: name the stems to learn\n"
        "with --targets. Stop it whenever you like: the same command resumes where it stopped.\n"
        "On several GPUs: accelerate launch -m unmix_lite train ...",
    )
    add = command.add_argument
    add(
        "--corpus",
        default="auto",
        metavar="NAME_OR_DIR",
        help="auto, band, preview, musdb, or a folder with train/ and test/ (default: auto)",
    )
    add(
        "--targets",
        nargs="+",
        default=list(TARGETS),
        metavar="STEM",
        help="stems to train a network for (default: all four)",
    )
    add(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder for weights, curves and state",
    )
    add(
        "--joint",
        action="store_true",
        help="all targets in the same steps, from the same mixtures, instead of one after the "
        "other; saves time, and the losses that judge the stems by each other "
        f"({', '.join(sorted(COUPLED))}) need it",
    )
    add_recipe_options(command)
    add(
        "--overwrite",
        action="store_true",
        help="begin anew in a folder that holds a training of the same targets; what it had "
        "learned is lost",
    )
    _add_device(command)


def _add_evaluate(commands: Subparsers) -> None:
    command = _add(
        commands,
        "evaluate",
        "score a model on songs with stems",
        "Score a model with BSS Eval v4 (SDR, ISR, SIR, SAR) on songs with known stems.\n\n"
        "  unmix-lite evaluate --model umx-lite --corpus preview -o scores\n\n"
        "writes one JSON per song as museval does, scores.csv, summary.csv and a picture; songs\n"
        "that have already been scored are skipped. Anybody's stems, <song>/<target>.wav:\n\n"
        "  unmix-lite evaluate --estimates their-stems --corpus preview -o their-scores",
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument(
        "--estimates",
        type=Path,
        metavar="DIR",
        help="score the stems in this folder instead, DIR/<song>/<target>.wav",
    )
    what.add_argument(
        "--model",
        default="umx-lite",
        metavar="NAME_OR_DIR",
        help="as for separate, or 'mixture' for an equal share of the song as every stem, the "
        "score of doing nothing, an oracle: IBM1, IBM2, IRM1, IRM2, MWF, or a method without "
        "training: HPSS, REPET, REPET-SIM, CENTRE (default: umx-lite)",
    )
    command.add_argument(
        "--split",
        choices=("test", "valid", "train"),
        default="test",
        help="which songs (default: test)",
    )
    command.add_argument(
        "--targets", nargs="+", metavar="STEM", help="stems to score (default: all four)"
    )
    command.add_argument(
        "--sdr-only", action="store_true", help="SDR alone, without waiting for the others"
    )
    command.add_argument(
        "--iterations",
        type=count,
        metavar="N",
        help="rounds of the Wiener filter (default: 3; 1 for umx, umxhq, umxl and umxse; 0 for "
        "live models)",
    )
    _add_scoring(command)
    _add_device(command)


def _add_scoring(command: argparse.ArgumentParser) -> None:
    """What `evaluate` and `ladder` both take."""
    add = command.add_argument
    add("--corpus", default="auto", metavar="NAME_OR_DIR", help="as for train (default: auto)")
    add("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the scores")
    add(
        "--jobs", type=positive, default=1, metavar="N",
        help="processes that share the songs (default: 1)",
    )  # fmt: skip
    add("--overwrite", action="store_true", help="score anew what has been scored in the folder")


def _add_ladder(commands: Subparsers) -> None:
    command = _add(
        commands,
        "ladder",
        "score every system on the same songs",
        """\
Score the mixture, the methods without training, the networks that come with the package
and the oracles on the same songs; on the MUSDB18 preview with the published systems
beside them, on the very same seconds. Call it again after an interruption.

  unmix-lite ladder --corpus preview -o ladder""",
    )
    _add_scoring(command)
    _add_device(command)


def _add_export(commands: Subparsers) -> None:
    command = _add(
        commands,
        "export",
        "write a model for other programs",
        "Write a model's networks for other programs.\n\n"
        "  unmix-lite export --model umx-lite -o exported\n\n"
        "writes ONNX files (magnitudes in and out; unidirectional networks with their state), and\n"
        "for a web page the weights in 16 and 8 bits, some 80 and 40 dB from the original.",
    )
    add = command.add_argument
    add(
        "--model",
        default="umx-lite",
        metavar="NAME_OR_DIR",
        help="as for separate (default: umx-lite)",
    )
    add("--targets", nargs="+", metavar="STEM", help="only these (default: all)")
    add(
        "--kinds",
        nargs="+",
        choices=EXPORT_FORMATS,
        default=list(EXPORT_FORMATS),
        metavar="KIND",
        help=f"of {', '.join(EXPORT_FORMATS)} (default: all)",
    )
    add("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the files")
    add("--overwrite", action="store_true", help="replace files that are there")


def _add_corpus(commands: Subparsers) -> None:
    command = _add(
        commands,
        "corpus",
        "render or fetch a data set and list what is in it",
        "Prepare a data set, and say where it is and what it holds.\n\n"
        "  unmix-lite corpus band       render the generated band (seconds, no network)\n"
        "  unmix-lite corpus preview    download the 7 s preview of MUSDB18 (140 MB, once)\n"
        "  unmix-lite corpus            what the notebooks would use, and why",
    )
    command.add_argument(
        "name",
        nargs="?",
        default="auto",
        metavar="NAME_OR_DIR",
        help="auto, band, preview, musdb, or a folder (default: auto)",
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        help="render the band into this folder instead of the cache",
    )
    command.add_argument(
        "--seed", type=count, help="compose another band (with 'band' and --output)"
    )
