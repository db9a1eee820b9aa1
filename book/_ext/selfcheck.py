"""Put the script of the self-checks into the pages that ask something.

It lies in the page itself, not beside it: a browser does not load a module from `file://`, and the
built book can be read from a folder. What it does is told in `book/_static/selfcheck.mjs`.
"""

from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "_static" / "selfcheck.mjs"


def script():
    """The module's text as it may stand inside a page, where `</` would end it too early."""
    return SCRIPT.read_text(encoding="utf-8").replace("</", "<\\/")


def add_script(app, pagename, templatename, context, doctree):
    # What is added while a page is being written is added to this page alone.
    if 'class="selfcheck"' in context.get("body", ""):
        app.add_js_file(None, body=script(), type="module")


def setup(app):
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
