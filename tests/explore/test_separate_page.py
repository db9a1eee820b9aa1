"""The page that separates songs, in every browser of this machine, as its reader uses it."""

import base64
import functools
import io
import json
import threading
import wave
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from unmix_lite import load_audio, save_audio
from unmix_lite.explore import KIT, bundle, live_parts, page_parts, write_page, write_songs

TARGETS = ["vocals", "drums", "bass", "other"]
# Until the page has said its last word of a song, or of what is wrong with it.
SPOKEN = """
  const words = () => document.querySelector(".separate .note");
  const began = performance.now();
  const ends = /^(.*Done in|Stopped)/;
  while (!ends.test(words().textContent) && !words().hasAttribute("data-error")) {
    if (performance.now() - began > 100000) throw new Error("in vain: " + words().textContent);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return words().textContent;
"""


class Recorder(SimpleHTTPRequestHandler):
    """A server that writes down what it is asked for, and can be told to fail."""

    asked: list[str] = []
    broken = False

    def do_GET(self):
        self.asked.append(self.path)
        if self.broken and self.path.endswith(".safetensors"):
            return self.send_error(503)
        return super().do_GET()

    def do_POST(self):
        self.asked.append("POST " + self.path)
        self.send_error(405)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def site(engine_folder, live_folder, band, tmp_path_factory):
    """The page as the book serves it, and as one file."""
    from unmix_lite.corpora import open_corpus

    folder = tmp_path_factory.mktemp("site")
    for file in engine_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "live").mkdir()
    for file in live_folder.iterdir():
        (folder / "live" / file.name).write_bytes(file.read_bytes())
    songs = write_songs(folder, open_corpus(band).tracks("test")[:1])
    write_page(folder / "single.html", folder, songs)
    (folder / "hosted.html").write_text(
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>'
        + page_parts("./", songs)
    )
    (folder / "live.html").write_text(
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>'
        + live_parts("./live/", songs[0]["file"])
    )
    (folder / "kit.html").write_text(
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><script>'
        + f"const transport = (() => {{ {bundle(KIT / 'transport.mjs')}; return bundled; }})();"
        + f"const files = (() => {{ {bundle(KIT / 'files.mjs')}; return bundled; }})();</script>"
    )
    return folder


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Recorder, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def separated(browser, audio, rate, filter=None):
    """The stems of `window.unmix.separate`: dict target -> (channels, samples)."""
    text = base64.b64encode(audio.numpy().astype(np.float32).tobytes()).decode()
    answer = browser.compute(f"""
      const all = new Float32Array(Uint8Array.from(atob("{text}"), (c) => c.charCodeAt(0)).buffer);
      const channels = {audio.shape[0]} === 1 ? [all]
        : [all.subarray(0, all.length / 2), all.subarray(all.length / 2)];
      const told = [];
      const {{rate, stems}} = await unmix.separate({{
        channels, rate: {rate}, filter: {json.dumps(filter)},
        onProgress: ({{done}}) => told.push(done),
      }});
      const packed = (side) => {{
        const bytes = new Uint8Array(side.buffer), parts = [];
        for (let i = 0; i < bytes.length; i += 4096) {{
          parts.push(String.fromCharCode(...bytes.subarray(i, i + 4096)));
        }}
        return btoa(parts.join(""));
      }};
      return {{rate, told, stems: Object.fromEntries(
        Object.entries(stems).map(([name, sides]) => [name, sides.map(packed)]))}};
    """)
    assert answer["rate"] == rate
    assert answer["told"] == sorted(answer["told"]) and answer["told"][-1] == pytest.approx(1)
    return {
        name: np.stack([np.frombuffer(base64.b64decode(side), np.float32) for side in sides])
        for name, sides in answer["stems"].items()
    }


def test_the_engine_is_pythons_in_every_browser(browser, address, song, separator):
    """The default filter; and the stems add up, as Python's do."""
    browser.open(f"{address}/hosted.html")
    found = separated(browser, song, 44100)
    level = float(song.square().mean().sqrt())
    expected = separator(song)
    expected["other"] = song - sum(expected[target] for target in TARGETS[:3])
    assert list(found) == TARGETS
    for target in TARGETS:
        error = np.sqrt(np.mean((found[target] - expected[target].numpy()) ** 2))
        assert error < 1e-4 * level, target
    assert np.abs(sum(found.values()) - song.numpy()).max() < 1e-6


def test_mono_stays_mono_at_its_own_rate(browser, address, song):
    browser.open(f"{address}/hosted.html")
    mono = song[:1, : 2 * 22050].contiguous()
    found = separated(browser, mono, 22050)
    assert all(stem.shape == mono.shape for stem in found.values())
    assert np.abs(sum(found.values()) - mono.numpy()).max() < 1e-6
    assert min(np.abs(found[target]).max() for target in TARGETS) > 1e-4


def test_one_file_from_a_folder(browser, site, song, tmp_path):
    """Without a server: a song comes in as a file, and the mixer stands there."""
    save_audio(tmp_path / "my song.wav", song, 44100)
    browser.open((site / "single.html").as_uri())
    browser.give("#song-file", tmp_path / "my song.wav")
    assert "times as fast as it plays" in browser.compute(SPOKEN)
    strips = browser.compute(
        "return [...document.querySelectorAll('.mixer .strip b')].map((e) => e.textContent)"
    )
    assert strips == TARGETS


def saved(browser, label):
    """The file that a button of the page saves: (name, bytes)."""
    name, text = browser.compute(f"""
      const links = [], create = document.createElement.bind(document);
      document.createElement = (tag, ...more) => {{
        const element = create(tag, ...more);
        if (tag === "a") {{ element.click = () => {{ links.push(element); }}; }}
        return element;
      }};
      document.querySelector(`[aria-label="{label}"]`).click();
      while (!links.length) await new Promise((resolve) => setTimeout(resolve, 20));
      document.createElement = create;
      const bytes = new Uint8Array(await (await fetch(links[0].href)).arrayBuffer()), parts = [];
      for (let i = 0; i < bytes.length; i += 4096) {{
        parts.push(String.fromCharCode(...bytes.subarray(i, i + 4096)));
      }}
      return [links[0].download, btoa(parts.join(""))];
    """)
    return name, base64.b64decode(text)


def samples(content):
    with wave.open(io.BytesIO(content)) as file:
        assert file.getsampwidth() == 2 and file.getframerate() == 44100
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return data.reshape(-1, file.getnchannels()).T / 32767


def test_what_a_reader_does(browser, address, song, tmp_path):
    """Choose a song, mute the voice by keys, save that mix; save all; nothing is sent."""
    Recorder.asked.clear()
    browser.open(f"{address}/hosted.html")
    assert "Nothing leaves this machine" in browser.compute(
        "return document.querySelector('.separate').textContent"
    )
    save_audio(tmp_path / "my song.wav", song, 44100)
    browser.give("#song-file", tmp_path / "my song.wav")
    browser.compute(SPOKEN)
    keys = "const press = (key) => document.querySelector('.mixer').dispatchEvent(" \
        "new KeyboardEvent('keydown', {key, bubbles: true}));"  # fmt: skip
    state = browser.compute(f"""{keys}
      press("1"); press("m"); press("3"); press("ArrowDown"); press("ArrowDown");
      return separatePage.mixer.gains;
    """)
    assert state == pytest.approx([0, 1, 10**-0.1, 1])
    name, mix = saved(browser, "save this mix")
    assert name == "my song - mix.wav"
    name, packed = saved(browser, "save all stems, as a zip")
    assert name == "my song - stems.zip"
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        assert file.testzip() is None
        stems = [samples(file.read(f"my song - {target}.wav")) for target in TARGETS]
    assert np.abs(sum(stems) - song.numpy()).max() < 4e-4  # four roundings to 16 bits
    expected = stems[1] + 10**-0.1 * stems[2] + stems[3]
    assert np.abs(samples(mix) - expected).max() < 4e-4
    state = browser.compute(f"{keys} press('2'); press('s'); return separatePage.mixer.gains;")
    assert state == [0, 1, 0, 0]
    # After a seek the solo is still there.
    assert browser.compute("""
      const {mixer} = separatePage;
      mixer.transport.seek(44100);
      return [mixer.transport.now, mixer.gains[1], mixer.gains[0]];
    """) == [44100, 1, 0]
    page_files = {"/hosted.html", "/model.json", "/kernel.wasm"}
    assert set(Recorder.asked) <= page_files | {f"/{t}.int8.safetensors" for t in TARGETS}


def test_a_song_of_ours(browser, address, band):
    browser.open(f"{address}/hosted.html")
    words = browser.compute("""
      const choice = document.querySelector(".separate select");
      choice.value = "0";
      choice.onchange();
    """ + SPOKEN)  # fmt: skip
    assert "Done in" in words and "“" not in words


def flac(path, audio, rate):
    import soundfile

    soundfile.write(path, audio, rate, format="FLAC", subtype="PCM_16")
    return path


BAD = {
    "text called mp3": "is not a sound file that this browser can read",
    "empty": "is empty",
    "silent": "only silence",
    "three hours": "minutes long",
    "three channels": "has 3 channels",
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_get_one_sentence(browser, address, tmp_path, kind):
    path = tmp_path / "file.flac"
    if kind == "text called mp3":
        path = tmp_path / "notes.mp3"
        path.write_text("la la la\n" * 1000)
    elif kind == "empty":
        path = tmp_path / "nothing.mp3"
        path.touch()
    elif kind == "silent":
        flac(path, np.zeros((44100, 2)), 44100)
    elif kind == "three hours":
        flac(path, np.zeros(8000 * 3 * 3600, np.int16), 8000)
    else:
        flac(path, np.full((44100, 3), 0.1), 44100)
    browser.open(f"{address}/hosted.html")
    browser.give("#song-file", path)
    words = browser.compute(SPOKEN)
    assert BAD[kind] in words
    assert words.count(". ") <= 1 and "Error" not in words


@pytest.mark.parametrize(
    "rate, seconds, channels", [(8000, 2.0, 1), (96000, 1.0, 2), (44100, 0.2, 2), (48000, 1.0, 6)]
)
def test_songs_that_are_unusual(browser, address, tmp_path, song, rate, seconds, channels):
    generator = np.random.default_rng(0)
    audio = 0.1 * generator.standard_normal((round(rate * seconds), channels))
    flac(tmp_path / "odd.flac", audio, rate)
    browser.open(f"{address}/hosted.html")
    browser.give("#song-file", tmp_path / "odd.flac")
    words = browser.compute(SPOKEN)
    assert "Done in" in words and ("mixed down" in words) == (channels == 6)
    length, own, sides = browser.compute("""
      const [track] = separatePage.tracks;
      return [track.length, track.rate, track.sides.length];
    """)
    assert (own, sides) == (rate, min(channels, 2))
    assert length == pytest.approx(rate * seconds, abs=2)


def test_a_second_song_waits_and_a_song_can_be_stopped(browser, address, tmp_path, song):
    save_audio(tmp_path / "one.wav", song.repeat(1, 5), 44100)
    browser.open(f"{address}/hosted.html")
    browser.give("#song-file", tmp_path / "one.wav")
    words = browser.compute("""
      const words = document.querySelector(".separate .note");
      const soon = () => new Promise((resolve) => setTimeout(resolve, 20));
      while (!words.textContent.includes("Taking it apart")) await soon();
      const page = separatePage;
      await page.take([new File(["x"], "two.wav")]);
      const said = words.textContent;
      page.stop.abort();
      while (page.stop) await soon();
      return [said, words.textContent];
    """)
    assert "“one” is still being taken apart" in words[0] and words[1] == "Stopped."
    browser.give("#song-file", tmp_path / "one.wav")
    browser.compute("document.querySelector('.separate .note').textContent = ''")
    assert "Done in" in browser.compute(SPOKEN)


def test_without_a_network_it_says_so_and_then_goes_on(browser, address, tmp_path, song):
    save_audio(tmp_path / "one.wav", song[:, :44100], 44100)
    Recorder.broken = True
    try:
        browser.open(f"{address}/hosted.html")
        browser.compute("await globalThis.caches?.delete('unmix-lite-weights')")
        browser.give("#song-file", tmp_path / "one.wav")
        assert "could not be fetched" in browser.compute(SPOKEN)
    finally:
        Recorder.broken = False
    browser.compute("document.querySelector('.separate .note').removeAttribute('data-error')")
    browser.compute("document.querySelector('.separate .note').textContent = ''")
    browser.give("#song-file", tmp_path / "one.wav")
    assert "Done in" in browser.compute(SPOKEN)


def test_all_tracks_are_in_step_to_the_sample(browser, address):
    """Against each other they vanish, also after a loop's end; alone each is what it was."""
    browser.open(f"{address}/kit.html")
    apart, wrong, heard = browser.compute("""
      const {Track, Transport, mixed} = transport, rate = 44100, n = 5 * rate;
      const noise = Float32Array.from({length: n}, (_, i) => Math.sin(i * i % 1000) / 4);
      const render = async (gains, pans, region) => {
        const context = new OfflineAudioContext(2, 5 * rate, rate);
        const tracks = gains.map(() => new Track([noise, noise], rate));
        const player = new Transport(tracks, () => context);
        gains.forEach((gain, i) => { player.setGain(i, gain); player.setPan(i, pans[i]); });
        player.region = region;
        player.playing = true;
        player.connect();
        player.start();
        clearTimeout(player.timer);
        const buffer = await context.startRendering();
        player.playing = false;
        const sides = [0, 1].map((c) => buffer.getChannelData(c));
        return [sides, tracks, Math.round(player.began * rate)];
      };
      const largest = (values) => values.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
      const [silence] = await render([1, -1, 0.5, -0.5], [0, 0, 0, 0], [rate, 2.5 * rate]);
      const gains = [0.5, 0.25], pans = [-0.4, 0.7];
      const [[left, right], tracks, began] = await render(gains, pans, null);
      const [l, r] = mixed(tracks, gains, pans, 0, n - began);
      let wrong = 0;
      for (let i = 0; i < n - began; i++) {
        wrong = Math.max(wrong, Math.abs(left[i + began] - l[i]));
        wrong = Math.max(wrong, Math.abs(right[i + began] - r[i]));
      }
      return [Math.max(...silence.map(largest)), wrong, largest(l)];
    """)
    assert apart < 1e-7 and wrong < 1e-6 and heard > 0.1  # rounding, in any order of the nodes


def test_a_files_rate_is_read_from_its_head(browser, address, tmp_path):
    tone = 0.1 * torch.sin(torch.arange(48000) / 10)[None].repeat(2, 1)
    browser.open(f"{address}/kit.html")
    for ending, rate in (("wav", 48000), ("flac", 96000), ("mp3", 22050), ("ogg", 32000)):
        path = tmp_path / f"tone.{ending}"
        save_audio(path, tone, rate)
        text = base64.b64encode(path.read_bytes()).decode()
        found = browser.compute(
            f'return files.headOf(Uint8Array.from(atob("{text}"), (c) => c.charCodeAt(0))).rate'
        )
        assert found == rate == load_audio(path)[1], ending


def test_live_runs_in_the_audio_thread(browser, address, site):
    """The worklet, offline: silence for the latency, then the song, its parts added
    up; with all faders down, nothing."""
    browser.open(f"{address}/live.html")
    worst, quiet, loud = browser.compute("""
      const rate = 44100, seconds = 1, n = seconds * rate;
      const noise = [0, 1].map((c) => (
        Float32Array.from({length: n}, (_, i) => Math.sin(i * i % (999 + c)) / 4)));
      const script = document.getElementById("unmix-live-worklet").textContent;
      const message = await unmixLive.fetched();
      const render = async (gains) => {
        const context = new OfflineAudioContext(2, n, rate);
        const file = new Blob([script], {type: "text/javascript"});
        await context.audioWorklet.addModule(URL.createObjectURL(file));
        const node = new AudioWorkletNode(context, "unmix-live", {outputChannelCount: [2]});
        const ready = new Promise((resolve, reject) => {
          node.port.onmessage = ({data}) => {
            if (data.error) reject(new Error(data.error));
            resolve(data.latency);
          };
        });
        node.port.postMessage({gains});
        node.port.postMessage(message);
        const latency = await ready;
        const buffer = new AudioBuffer({numberOfChannels: 2, length: n, sampleRate: rate});
        noise.forEach((side, c) => buffer.copyToChannel(side, c));
        const source = new AudioBufferSourceNode(context, {buffer});
        source.connect(node).connect(context.destination);
        source.start();
        const out = await context.startRendering();
        return [latency, [0, 1].map((c) => out.getChannelData(c))];
      };
      const [latency, sides] = await render([1, 1, 1]);
      let worst = 0;
      sides.forEach((side, c) => {
        for (let i = latency; i < n; i++) {
          worst = Math.max(worst, Math.abs(side[i] - noise[c][i - latency]));
        }
      });
      const largest = (values) => values.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
      const [, none] = await render([0, 0, 0]);
      return [worst, Math.max(...none.map(largest)), largest(sides[0])];
    """)
    assert worst < 1e-4 and quiet == 0 and loud > 0.2  # the faders come up from 0
