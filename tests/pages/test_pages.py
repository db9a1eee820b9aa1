"""Every page of the built book in a browser: on a laptop and a phone, by day and by night."""

import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

BUILT = Path(__file__).resolve().parents[2] / "_build" / "html"
PAGES = (
    sorted(
        str(path.relative_to(BUILT))
        for folder in ("book", "notebooks")
        for path in BUILT.glob(f"{folder}/**/*.html")
    )
    + ["search.html"] * BUILT.is_dir()
)
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
BROWSER = next(
    filter(
        None,
        map(
            shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        ),
    ),
    None,
)
LARGEST = 1_500_000  # bytes of HTML, sounds and figures within it included

pytestmark = [
    pytest.mark.skipif(not PAGES, reason="the book is not built: run `make book` first"),
    pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine"),
]

# What the browser finds on a page, asked once per visit.
SURVEY = """() => {
  const shown = e => e.getClientRects().length > 0;
  const name = e => (e.currentSrc || e.src || e.outerHTML).slice(0, 80);
  const labelled = e => e.getAttribute("aria-label") || e.title ||
    e.closest("figure")?.querySelector("figcaption")?.textContent.trim();
  const root = document.scrollingElement, wide = root.clientWidth;
  const inScroller = e => {
    for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
      if (getComputedStyle(p).overflowX !== "visible") return true;
    return false;
  };
  const levels = color => color.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const weights = [0.2126, 0.7152, 0.0722];
  const light = color => levels(color).reduce((sum, v, i) => sum + v * weights[i], 0);
  const ground = e => {  // the first background behind an element that is not see-through
    for (let p = e; p; p = p.parentElement) {
      const color = getComputedStyle(p).backgroundColor;
      // A shade of a few per cent is see-through enough.
      if (!/^rgba\\(.*, 0\\)$|transparent|\\/ 0\\.0\\d*\\)$/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const contrast = e => {  // WCAG 2
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  return {
    dim: [...document.querySelectorAll(".listening, .listening button, .players figcaption")]
      .filter(e => shown(e) && contrast(e) < 4.5).map(name),
    unnamedImages: [...document.images].filter(e => !e.alt.trim()).map(name),
    brokenImages: [...document.images].filter(e => shown(e) && e.complete && !e.naturalWidth)
      .map(name),
    unnamedPlayers: [...document.querySelectorAll("audio")].filter(e => !labelled(e)).map(name),
    tracebacks: [...document.querySelectorAll(".output.traceback, .output.stderr")]
      .map(e => e.textContent.slice(0, 200)),
    overflow: root.scrollWidth - wide,
    // The theme parks the list of sections beyond the right edge until its button is pressed.
    widest: [...document.querySelectorAll("main *")].filter(
      e => shown(e) && e.getBoundingClientRect().right > wide + 1 && !inScroller(e)
        && !e.closest(".bd-sidebar-secondary"))
      .slice(0, 3).map(e => e.outerHTML.slice(0, 120)),
    cutCode: [...document.querySelectorAll("main .highlight pre")]
      .filter(e => shown(e) && e.scrollWidth > e.clientWidth + 1)
      .map(e => e.textContent.slice(0, 120)),
    formulas: document.querySelectorAll("span.math, div.math").length,
    rendered: document.querySelectorAll("span.math mjx-container, div.math mjx-container").length,
    mathErrors: [...document.querySelectorAll("mjx-merror, [data-mjx-error]")]
      .map(e => e.getAttribute("data-mjx-error") || e.textContent),
    scheme: document.documentElement.dataset.theme,
    colab: [...document.querySelectorAll("header a, .article-header-buttons a")].map(e => e.href)
      .filter(href => href.startsWith("https://colab.research.google.com/github/")),
  };
}"""


class Quiet(SimpleHTTPRequestHandler):
    """A static server without a line on the terminal for every request."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address():
    """The built book, served on this machine alone."""
    handler = functools.partial(Quiet, directory=str(BUILT))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(
            executable_path=BROWSER,
            args=[
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def visit(browser, address):
    """A function: what the browser finds on a page, at a width in px and in a colour scheme."""
    context = browser.new_context()

    @functools.cache
    def look(page, width):
        tab = context.new_page()
        tab.set_viewport_size({"width": width, "height": 900})
        tab.emulate_media(color_scheme="light")
        requests, failed, messages = [], [], []
        tab.on("request", lambda request: requests.append(request.url))
        tab.on("response", lambda answer: answer.status < 400 or failed.append(answer.url))
        tab.on("console", lambda m: m.type == "error" and messages.append(m.text))
        tab.on("pageerror", lambda error: messages.append(str(error)))
        tab.goto(f"{address}/{page}", wait_until="load")
        if tab.locator("span.math, div.math").count():
            tab.wait_for_function("() => window.MathJax?.startup?.promise?.then(() => true)")
        # Lazy images load only in sight.
        tab.evaluate("() => document.querySelectorAll('img').forEach(e => e.loading = 'eager')")
        tab.wait_for_load_state("networkidle")
        found = {"light": tab.evaluate(SURVEY)}
        tab.emulate_media(color_scheme="dark")
        tab.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
        found["dark"] = tab.evaluate(SURVEY)
        traffic = {
            "foreign": [url for url in requests if not url.startswith((address, "data:", "blob:"))],
            "failed": failed,
            "messages": messages,
        }
        tab.close()
        return {scheme: {**survey, **traffic} for scheme, survey in found.items()}

    yield lambda page, width, scheme: look(page, width)[scheme]
    context.close()


@pytest.fixture(
    scope="module",
    params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")],
    ids=lambda view: f"{view[0]}px-{view[1]}",
)
def view(request):
    return request.param


@pytest.mark.parametrize("page", PAGES)
def test_page_is_whole_and_asks_no_other_host(visit, view, page):
    found = visit(page, *view)
    assert found["foreign"] == [], "the page asked another host"
    assert found["failed"] == [], "the page asked for files that do not exist"
    assert found["messages"] == [], "the page wrote errors to the console"
    assert found["scheme"] == view[1]


@pytest.mark.parametrize("page", PAGES)
def test_page_fits_its_width(visit, view, page):
    found = visit(page, *view)
    assert found["overflow"] <= 0, f"the page scrolls sideways: {found['widest']}"
    assert found["widest"] == [], "something is cut off at the right"


@pytest.mark.parametrize("page", CHAPTERS)
def test_no_code_is_cut_off_on_a_laptop(visit, page):
    assert visit(page, 1280, "light")["cutCode"] == []


@pytest.mark.parametrize("page", CHAPTERS)
def test_players_and_listening_tests_can_be_read(visit, view, page):
    assert visit(page, *view)["dim"] == [], "text with too little contrast"


@pytest.mark.parametrize("page", PAGES)
def test_figures_and_sounds_are_named(visit, page):
    found = visit(page, 1280, "light")
    assert found["unnamedImages"] == [], "an image without alternative text"
    assert found["brokenImages"] == [], "an image that does not load"
    assert found["unnamedPlayers"] == [], "a player without a label"


@pytest.mark.parametrize("page", PAGES)
def test_nothing_on_the_page_is_red(visit, page):
    assert visit(page, 1280, "light")["tracebacks"] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_formula_is_typeset(visit, page):
    found = visit(page, 1280, "light")
    assert found["rendered"] == found["formulas"]
    assert found["mathErrors"] == []


@pytest.mark.parametrize("page", PAGES)
def test_page_is_light(page):
    assert (BUILT / page).stat().st_size < LARGEST


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_opens_in_colab(visit, page):
    notebook = page.replace(".html", ".ipynb")
    assert any(href.endswith(f"/{notebook}") for href in visit(page, 1280, "light")["colab"])


def test_first_page_leads_into_the_book(browser, address):
    tab = browser.new_page()
    tab.goto(address)
    tab.wait_for_url("**/book/index.html")
    tab.close()


@pytest.mark.parametrize("page", CHAPTERS)
@pytest.mark.parametrize("width", [1280, 390])
def test_controls_come_to_life_and_can_be_dragged(browser, address, page, width):
    """Each control mounts, moves by its first slider, and writes nothing to the console."""
    tab = browser.new_page(viewport={"width": width, "height": 900})
    messages = []
    tab.on("console", lambda m: m.type == "error" and messages.append(m.text))
    tab.on("pageerror", lambda error: messages.append(str(error)))
    tab.goto(f"{address}/{page}", wait_until="load")
    # Live needs no cell, and fetches before it moves.
    for control in tab.query_selector_all("[data-explorable]:not([data-explorable=live])"):
        control.scroll_into_view_if_needed()
        name = control.get_attribute("data-explorable")
        tab.wait_for_function("e => e.dataset.live === 'ready'", arg=control)
        slider = control.query_selector("input[type=range]:visible")
        if slider:
            before = slider.input_value()
            slider.focus()
            # Away from an end, whichever it is.
            for key in ("ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowRight", "ArrowRight"):
                tab.keyboard.press(key)
            moved = {before, slider.input_value()}
            tab.keyboard.press("ArrowLeft")
            assert len(moved | {slider.input_value()}) > 1, f"{name} does not move"
        box = control.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, f"{name} is cut off"
    tab.close()
    assert messages == []


@pytest.mark.parametrize(
    "page, place, words",
    [
        ("notebooks/14_live.html", "#unmix-live .live", "Summary"),
        ("book/separate.html", "#unmix-separate .separate", "Keep it"),
    ],
)
def test_what_separates_stands_in_its_page_and_runs(browser, address, page, place, words):
    """In the text's midst; a song of ours is fetched and taken apart."""
    tab = browser.new_page()
    tab.goto(f"{address}/{page}", wait_until="load")
    assert words in tab.locator("main").inner_text()
    here = tab.locator(place)
    if "live" in page:
        here.get_by_role("button", name="a song of ours").click()
        tab.wait_for_function(
            f"document.querySelector('{place}').innerText.includes('pull a fader')"
        )
    else:
        here.locator("select").select_option(index=1)
        tab.wait_for_selector("[aria-label='save this mix']:visible", timeout=120_000)
    assert not here.locator("[data-error]").count()
    tab.close()
