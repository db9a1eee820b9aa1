"""The page that separates songs: its script, and the networks beside it.

The networks are exported while the book is built, from the weights that the package brings; so are
the songs to try, one of the band and one of the records that the book is built with, where its
licence allows.
"""

from pathlib import Path

from unmix_lite.corpora import open_corpus
from unmix_lite.explore import page_parts, write_engine, write_songs

PAGE = "book/separate"
FOLDER = "_static/unmix"
PLACE = '<div id="separate-here"></div>'


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
    app.config.unmix_songs = write_songs(folder, playable())


def fill(app, pagename, templatename, context, doctree):
    if pagename == PAGE and PLACE in context.get("body", ""):
        parts = page_parts("../" + FOLDER + "/", app.config.unmix_songs)
        context["body"] = context["body"].replace(PLACE, parts)


def setup(app):
    app.add_config_value("unmix_songs", [], "")
    app.connect("builder-inited", write_files)
    app.connect("html-page-context", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
