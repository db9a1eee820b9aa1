"""Real browsers, driven from Python without a driver of their own where there is none.

Chromium by Playwright; Firefox by WebDriver BiDi, which it speaks itself; WebKit (of GTK) by its
WebDriver. All of them open a page, compute in it and give it a file, which is all the tests need.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
WEBKIT = shutil.which("WebKitWebDriver") if shutil.which("Xvfb") else None
MINIBROWSER = next(
    iter(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser")), None
)  # what the driver starts
THERE = {
    "chromium": bool(CHROMIUM),
    "firefox": bool(FIREFOX),
    "webkit": bool(WEBKIT and MINIBROWSER),
}
PATIENCE = 120  # s for a page to do something


class Chromium:
    """By Playwright."""

    def __init__(self, stack):
        from playwright.sync_api import sync_playwright

        engine = stack.enter_context(sync_playwright())
        self._browser = engine.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        stack.callback(self._browser.close)
        self.page = self._browser.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)

    def open(self, url):
        self.page.goto(url)

    def compute(self, body):
        """The value of an async function's body."""
        return self.page.evaluate(f"async () => {{ {body} }}")

    def give(self, selector, path):
        self.page.set_input_files(selector, path)


class Firefox:
    """By WebDriver BiDi over Tornado's websocket, which Jupyter brings."""

    def __init__(self, stack):
        profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        process = subprocess.Popen(
            [FIREFOX, "--headless", "--no-remote", "--profile", profile,
             "--remote-debugging-port=0"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
            env={**os.environ, "HOME": profile},
        )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.kill)
        for line in process.stderr:
            if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                break
        else:
            raise RuntimeError("Firefox does not speak WebDriver BiDi")
        self._loop = asyncio.new_event_loop()
        stack.callback(self._loop.close)
        self._number = 0
        self._socket = self._loop.run_until_complete(self._connect(found[1] + "/session"))
        self._send("session.new", capabilities={})
        self._tab = self._send("browsingContext.getTree")["contexts"][0]["context"]

    async def _connect(self, url):
        from tornado.websocket import websocket_connect

        return await websocket_connect(url, max_message_size=1 << 30)

    def _send(self, method, **parameters):
        return self._loop.run_until_complete(self._exchange(method, parameters))

    async def _exchange(self, method, parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        await self._socket.write_message(json.dumps(message))
        while True:
            text = await asyncio.wait_for(self._socket.read_message(), PATIENCE)
            answer = json.loads(text)
            if answer.get("id") == self._number:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]

    def open(self, url):
        self._send("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def _evaluate(self, expression):
        answer = self._send(
            "script.evaluate", expression=expression, target={"context": self._tab},
            awaitPromise=True, userActivation=True,
        )  # fmt: skip
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"]

    def compute(self, body):
        """The value of an async function's body."""
        text = self._evaluate(
            f"(async () => JSON.stringify((await (async () => {{ {body} }})()) ?? null))()"
        )
        return json.loads(text["value"])

    def give(self, selector, path):
        element = self._evaluate(f"document.querySelector({json.dumps(selector)})")
        self._send(
            "input.setFiles", context=self._tab, files=[str(path)],
            element={"sharedId": element["sharedId"]},
        )  # fmt: skip


class WebKit:
    """By WebKitWebDriver, on a screen that nobody sees."""

    def __init__(self, stack):
        screen = stack.enter_context(
            _process(
                ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        display = screen.stdout.readline().strip()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        stack.enter_context(_process(
            [WEBKIT, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "DISPLAY": f":{display}",
                 "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
                 "WEBKIT_DISABLE_COMPOSITING_MODE": "1"},
        ))  # fmt: skip
        self._base = f"http://127.0.0.1:{port}"
        options = {"binary": str(MINIBROWSER), "args": ["--automation"]}
        capabilities = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        self._session = self._first_session(capabilities)
        stack.callback(self._call, "DELETE", "")
        limits = {"script": 1000 * PATIENCE, "pageLoad": 1000 * PATIENCE}
        self._call("POST", "/timeouts", limits)

    def _first_session(self, capabilities):
        end = time.monotonic() + 20
        while True:
            try:
                answer = self._request("POST", "/session", {"capabilities": capabilities})
                return f"/session/{answer['sessionId']}"
            except OSError:  # the driver is not there yet
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def _request(self, method, path, data=None):
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(
            self._base + path, body, {"Content-Type": "application/json"}
        )
        request.method = method
        try:
            with urllib.request.urlopen(request, timeout=2 * PATIENCE) as answer:
                return json.loads(answer.read())["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()[:500]) from error

    def _call(self, method, path, data=None):
        return self._request(method, self._session + path, data)

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def compute(self, body):
        """The value of an async function's body."""
        script = (
            "const done = arguments[arguments.length - 1];"
            f"(async () => {{ {body} }})().then((value) => done(JSON.stringify(value ?? null)),"
            " (error) => done(JSON.stringify({failed: String(error)})));"
        )
        value = json.loads(self._call("POST", "/execute/async", {"script": script, "args": []}))
        if isinstance(value, dict) and "failed" in value:
            raise RuntimeError(value["failed"])
        return value

    def give(self, selector, path):
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        self._call("POST", f"/element/{next(iter(found.values()))}/value", {"text": str(path)})


@contextlib.contextmanager
def _process(command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def opened(name):
    """A browser by its name: "chromium", "firefox" or "webkit"."""
    kinds = {"chromium": Chromium, "firefox": Firefox, "webkit": WebKit}
    with contextlib.ExitStack() as stack:
        yield kinds[name](stack)
