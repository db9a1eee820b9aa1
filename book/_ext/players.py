"""One script for all players of the book, where each cell's output brings its own.

In a notebook every output may be a world of its own (on Colab it is); the book's pages share one
file. It is a classic script, not a module: those are not loaded from `file://`. It is written into
the output, since the theme puts whatever lies in the source's _static into every page.
"""

import re
from pathlib import Path

from unmix_lite.listening.html_players import script

FILE = "kit/players.js"
_SCRIPT = re.compile(r'<script class="players-script">.*?</script>', re.DOTALL)


def write_script(app):
    if app.builder.format == "html":
        path = Path(app.outdir) / "_static" / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script(), encoding="utf-8")


def use_one(app, pagename, templatename, context, doctree):
    body, found = _SCRIPT.subn("", context.get("body", ""))
    if found:
        context["body"] = body
        app.add_js_file(FILE, loading_method="defer")


def setup(app):
    app.connect("builder-inited", write_script)
    app.connect("html-page-context", use_one)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
