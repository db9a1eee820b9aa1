"""What separates songs in the pages: the scripts, and the networks beside them.

The networks are exported while the book is built, from the weights that the package brings; so are
the songs to try, one of the band and one of the records that the book is built with, where its
licence allows.
"""

import re
from pathlib import Path

from unmix_lite.corpora import open_corpus
from unmix_lite.explore import live_parts, page_parts, write_engine, write_songs

FOLDER = "_static/unmix"
SEPARATE = '<div id="separate-here"></div>'
# In the notebook stands a sentence for those who read it there.
LIVE = re.compile(r'<div id="live-here">.*?</div>', re.DOTALL)


def playable():
    """Songs to try: of the band, and of the corpus of this book."""
    found = [open_corpus("band").examples("test")[0]]
    corpus = open_corpus()
    if corpus.name != "band":
        found += corpus.examples("test")[:1]
    return found


def write_files(app):
    """Before the pages are written: what they fetch."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    write_engine(folder)
    write_engine(folder / "live", "umx-lite-live")
    app.config.unmix_songs = write_songs(folder, playable())


def fill(app, pagename, templatename, context, doctree):
    body = context.get("body", "")
    above = "../" * pagename.count("/")
    files, songs = f"{above}{FOLDER}/", app.config.unmix_songs
    if SEPARATE in body:
        context["body"] = body.replace(SEPARATE, page_parts(files, songs))
    elif LIVE.search(body):
        parts = live_parts(files + "live/", files + songs[0]["file"])
        context["body"] = LIVE.sub(lambda _: parts, body)


def setup(app):
    app.add_config_value("unmix_songs", [], "")
    app.connect("builder-inited", write_files)
    app.connect("html-page-context", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
