"""How fast the page's engine is, in one thread of Chromium, and how much memory a long song takes.

    python benchmarks/page.py -o book/results/benchmark_page.json

The page of `make page` is opened; `window.unmix` separates a song of the band, repeated, with the
default filter and with one round of it. Python does the same in one thread, in the same run. Then
ten minutes go through the page as a reader's song would, from a file to the mixer, in a browser of
its own, whose peak of memory is the system's own count. Last, ten minutes of live, in Node.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from machine import add_options, origin, print_origin, write
from playwright.sync_api import sync_playwright

from unmix_lite import save_audio
from unmix_lite.corpora import open_corpus
from unmix_lite.explore import write_engine
from unmix_lite.separation import Separator

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = {
    "default": {},
    "one round": {"iterations": 1, "posterior": False, "neighbours": 0},
}
SEPARATE = """async ([rate, filter]) => {
  const bytes = Uint8Array.from(atob(globalThis.song), (c) => c.charCodeAt(0));
  const all = new Float32Array(bytes.buffer), n = all.length / 2;
  const channels = [all.subarray(0, n), all.subarray(n)];
  await unmix.load();
  const began = performance.now();
  await unmix.separate({channels, rate, filter});
  return (performance.now() - began) / 1000;
}"""


def song(seconds):
    """A song of the band, over and over."""
    mixture = open_corpus("band").examples("test")[0].mixture()
    samples = round(seconds * 44100)
    return mixture.repeat(1, -(-samples // mixture.shape[-1]))[:, :samples].contiguous()


def chromium(engine):
    path = shutil.which("chromium") or shutil.which("google-chrome")
    return engine.chromium.launch(executable_path=path, args=["--headless", "--no-sandbox"])


def in_page(address, audio):
    """Seconds for a song, of each kind of filter."""
    import base64

    text = base64.b64encode(audio.numpy().tobytes()).decode()
    with sync_playwright() as engine:
        page = chromium(engine).new_page()
        page.goto(address)
        page.evaluate("text => { globalThis.song = text; }", text)
        page.evaluate(SEPARATE, [44100, ROUNDS["one round"]])  # compiled, warm
        return {name: page.evaluate(SEPARATE, [44100, f]) for name, f in ROUNDS.items()}


def in_python(audio):
    torch.set_num_threads(1)
    seconds = {}
    for name, settings in ROUNDS.items():
        separator = Separator.from_pretrained("umx-lite", "cpu")
        for key, value in settings.items():
            setattr(separator.filter, key, value)
        began = time.perf_counter()
        separator(audio)
        seconds[name] = time.perf_counter() - began
    return seconds


def peaks():
    """Peak memory in MB of each process of a browser's pages."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if "--type=renderer" in (process / "cmdline").read_text():
                status = (process / "status").read_text()
                found[process.name] = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1000
        except OSError:
            continue
    return found


def memory(address, audio):
    """Peak memory in MB: of the page alone, and of the page with a song in its mixer."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as engine:
        file = Path(folder) / "song.mp3"
        save_audio(file, audio, 44100)
        others = set(peaks())
        page = chromium(engine).new_page()
        page.goto(address)
        page.wait_for_timeout(1000)
        before = max(peak for name, peak in peaks().items() if name not in others)
        page.set_input_files("#song-file", file)
        page.wait_for_selector("[aria-label='save this mix']", timeout=1_200_000)
        return before, max(peak for name, peak in peaks().items() if name not in others)


def live(seconds):
    """How long the calls of the audio thread take, in Node, which has Chromium's engine."""
    with tempfile.TemporaryDirectory() as folder:
        write_engine(folder, "umx-lite-live")
        song(seconds).numpy().tofile(Path(folder) / "song.f32")
        script = ROOT / "tests" / "explore" / "run_live.mjs"
        command = ["node", str(script), folder, str(ROOT / "unmix_lite/explore/engine")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of the song that is timed")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the song for the memory")
    add_options(parser)
    options = parser.parse_args()
    file = ROOT / "_build" / "separate.html"
    subprocess.run([sys.executable, ROOT / "book/_tools/write_page.py", file], check=True)
    record = origin(options, torch.device("cpu"), ("torch",))
    record["browser"] = subprocess.run(
        [shutil.which("chromium") or shutil.which("google-chrome"), "--version"],
        capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    print_origin(record)
    audio = song(options.seconds)
    page, python = in_page(file.as_uri(), audio), in_python(audio)
    record["seconds"] = options.seconds
    record["times_real_time"] = {
        name: {"page": round(options.seconds / page[name], 2),
               "python": round(options.seconds / python[name], 2)}
        for name in ROUNDS
    }  # fmt: skip
    for name, speeds in record["times_real_time"].items():
        print(f"{name}: {speeds['page']:.1f} times real time in the page, "
              f"{speeds['python']:.1f} in Python's one thread")  # fmt: skip
    before, after = memory(file.as_uri(), song(60 * options.minutes))
    record["memory_mb"] = {"minutes": options.minutes, "page": round(before), "peak": round(after)}
    print(
        f"{options.minutes:g} minutes: {after:.0f} MB at most; the page alone has {before:.0f} MB"
    )
    record["live"] = live(60 * options.minutes)
    print(
        "live: {mean:.2f} ms for each {quantum:.2f} ms, 99 % within {part99:.2f} ms; at half the "
        "speed {late_at_half_speed} buffers of 1024 samples would be late".format(**record["live"])
    )
    write(options, record)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
