"""Self-checks in pages as Sphinx makes them, answered in a browser."""

import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from selfcheck_text import ROOT, SECTIONS, questions

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A small Sphinx project in the book's theme: the self-check of every chapter, and a page
    that asks nothing."""
    pytest.importorskip("myst_parser")
    pytest.importorskip("sphinx_book_theme")
    from sphinx.cmd.build import build_main

    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name, section in SECTIONS.items():
        (source / f"{name}.md").write_text(f"# {name}\n\n{section}\n", encoding="utf-8")
    pages = "\n".join(SECTIONS)
    (source / "index.md").write_text(f"# Nothing to ask\n\n```{{toctree}}\n{pages}\n```\n")
    (source / "_static").mkdir()
    (source / "_static" / "nothing.mjs").write_text("")
    static = [str(ROOT / "book" / "_static"), "_static"]
    # As in _config.yml. MathJax is left out: formulas stay what they are before it has run.
    (source / "conf.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})\n"
        "extensions = ['myst_parser', 'selfcheck']\n"
        "myst_enable_extensions = ['dollarmath']\n"
        "mathjax_path = 'nothing.mjs'\n"
        "html_theme = 'sphinx_book_theme'\n"
        f"html_static_path = {static!r}\n"
        "html_css_files = ['course.css', 'selfcheck.css']\n"
    )
    assert build_main(["-q", "-b", "html", str(source), str(built)]) == 0
    return built


@pytest.fixture(scope="module")
def browser():
    if not BROWSER:
        pytest.skip("no Chromium or Chrome on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as engine:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        chromium = engine.chromium.launch(executable_path=BROWSER, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(site):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(browser, address):
    """A function: a page of the small site, in a browser that has never seen it."""
    contexts = []

    def open_page(name, folder=address, **options):
        contexts.append(browser.new_context(**options))
        tab = contexts[-1].new_page()
        tab.problems = []
        tab.on("pageerror", lambda error: tab.problems.append(str(error)))
        tab.goto(f"{folder}/{name}.html")
        return tab

    yield open_page
    for context in contexts:
        context.close()


def forms(tab):
    return tab.locator("form.selfcheck-question")


NAME = next(iter(SECTIONS), None)  # one chapter is enough for what they all do


def other_than(question):
    """A wrong choice's letter, what is said of it, and how many choices below the right one is."""
    letters = [letter for letter, _ in question["choices"]]
    letter, comment = question["comments"][0]
    return letter, comment, letters.index(question["right"]) - letters.index(letter)


def test_every_question_becomes_a_form(visit):
    for name in SECTIONS:
        tab = visit(name)
        asked = questions(name)
        assert forms(tab).count() == len(asked)
        found = forms(tab).evaluate_all(
            "all => all.map(form => [form.querySelector('fieldset > legend').innerText[0],"
            " form.querySelectorAll('fieldset > label > input[type=radio]').length])"
        )
        assert found == [[question["number"], len(question["choices"])] for question in asked]
        assert f"0 of {len(asked)} right" in tab.locator(".selfcheck-score").inner_text()
        assert tab.locator("details.selfcheck[open]").count() == 0
        assert tab.problems == [], name


def test_answering_by_keyboard(visit):
    tab, question = visit(NAME), questions(NAME)[0]
    letter, comment, down = other_than(question)
    form = forms(tab).first
    says = form.get_by_role("status")
    form.get_by_role("button", name="Check").press("Enter")
    assert "Choose one" in says.inner_text()

    form.locator(f"input[value={letter}]").focus()
    tab.keyboard.press("Space")
    tab.keyboard.press("Enter")
    assert f"Not {letter}." in says.inner_text()
    assert comment.split()[0] in says.inner_text() and len(says.inner_text()) > 25
    assert "tried" in form.locator("label", has_text=f"{letter}. ").inner_text()
    assert "0 of" in tab.locator(".selfcheck-score").inner_text()

    for _ in range(abs(down)):
        tab.keyboard.press("ArrowDown" if down > 0 else "ArrowUp")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Space")  # the button, this time
    assert f"{question['right']} is right." in says.inner_text()
    assert "1 of" in tab.locator(".selfcheck-score").inner_text()
    assert "none at the first try" in tab.locator(".selfcheck-score").inner_text()
    assert not form.locator("details").evaluate("e => e.open")
    assert tab.problems == []


def test_answers_stay_until_one_starts_over(visit):
    tab, (one, two, *_) = visit(NAME), questions(NAME)
    for form, letter in zip(forms(tab).all(), (one["right"], other_than(two)[0])):
        form.locator(f"input[value={letter}]").check()
        form.get_by_role("button", name="Check").click()
    tab.reload()
    first, second = forms(tab).all()[:2]
    assert first.locator("input:checked").get_attribute("value") == one["right"]
    assert "is right" in first.get_by_role("status").inner_text()
    assert second.locator("input:checked").count() == 0  # what was wrong may be tried again
    assert "tried" in second.locator("fieldset").inner_text()
    assert "1 of" in tab.locator(".selfcheck-score").inner_text()

    tab.get_by_role("button", name="Start over").press("Enter")
    for _ in range(2):
        assert "0 of" in tab.locator(".selfcheck-score").inner_text()
        assert tab.locator("input:checked").count() == 0
        assert "tried" not in tab.locator("article").inner_text()
        tab.reload()


def test_other_chapters_answers_are_left_alone(visit):
    names = list(SECTIONS)[:2]
    tab = visit(names[0])
    for name in names:
        tab.goto(tab.url.replace(names[0], name))
        forms(tab).first.locator(f"input[value={questions(name)[0]['right']}]").check()
        forms(tab).first.get_by_role("button", name="Check").click()
    tab.get_by_role("button", name="Start over").click()
    tab.goto(tab.url.replace(names[1], names[0]))
    assert "1 of" in tab.locator(".selfcheck-score").inner_text()


def test_a_page_from_a_folder(visit, site):
    tab = visit(NAME, folder=site.as_uri())
    question = questions(NAME)[0]
    forms(tab).first.locator(f"input[value={question['right']}]").check()
    forms(tab).first.get_by_role("button", name="Check").click()
    assert "is right" in forms(tab).first.get_by_role("status").inner_text()


def test_a_browser_that_stores_nothing(browser, address):
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } })"
    )
    tab, question = context.new_page(), questions(NAME)[0]
    tab.goto(f"{address}/{NAME}.html")
    forms(tab).first.locator(f"input[value={question['right']}]").check()
    forms(tab).first.get_by_role("button", name="Check").click()
    assert "1 of" in tab.locator(".selfcheck-score").inner_text()
    context.close()


def test_without_javascript_the_text_stays(visit):
    tab = visit(NAME, java_script_enabled=False)
    assert forms(tab).count() == 0
    for question in questions(NAME):
        assert tab.get_by_text(f"{question['number']}. ", exact=False).first.is_visible()
    assert tab.locator("details.selfcheck").count() == len(questions(NAME))
    assert not tab.locator("details.selfcheck ul").first.is_visible()
    tab.locator("details.selfcheck summary").first.click()
    assert tab.locator("details.selfcheck ul").first.is_visible()


def test_a_page_that_asks_nothing_carries_no_script(site):
    assert "selfcheck-question" not in (site / "index.html").read_text()
    assert "selfcheck-question" in (site / f"{NAME}.html").read_text()


# The least contrast (WCAG 2) of an element's text with the first ground behind it.
CONTRAST = """() => {
  const levels = color => color.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const weights = [0.2126, 0.7152, 0.0722];
  const light = color => levels(color).reduce((sum, v, i) => sum + v * weights[i], 0);
  const ground = e => {
    for (let p = e; p; p = p.parentElement) {
      const color = getComputedStyle(p).backgroundColor;
      if (!/^rgba\\(.*, 0\\)$|transparent/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const of = e => {
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const parts = "form.selfcheck-question, form.selfcheck-question *, .selfcheck-score *";
  const all = [...document.querySelectorAll(parts)].filter(e => e.textContent.trim());
  return { count: all.length, least: Math.min(...all.map(of)),
           sideways: document.scrollingElement.scrollWidth - innerWidth };
}"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(visit, width, scheme):
    tab = visit(NAME, viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab.wait_for_function(f"() => document.documentElement.dataset.theme === '{scheme}'")
    # All that a page can show at once: a choice, what is said of it, and the answer.
    forms(tab).evaluate_all(
        "all => all.forEach(form => { form.querySelector('input').checked = true;"
        " form.requestSubmit(); form.querySelector('details').open = true; })"
    )
    found = tab.evaluate(CONTRAST)
    assert found["count"] > 20 * len(questions(NAME))
    assert found["least"] >= 4.5
    assert found["sideways"] <= 0
