"""Tie the API reference to the chapters, in both directions.

Each documented name gets a line that names its chapter, and each chapter ends with the names that
are its own; `api_names` says which. No cell is touched, so that the executed notebooks in the cache
stay valid.
"""

from api_names import addresses, exports, home
from docutils import nodes, utils
from sphinx.addnodes import pending_xref
from sphinx.pycode import ModuleAnalyzer


def code_role(role, rawtext, text, line, inliner, options=None, content=None):
    """Single backticks: code, and a link where it names a class, a constant or a long function.

    Short lower-case words are arguments as often as functions, and stay plain.
    """
    text = utils.unescape(text)
    full = addresses().get(text.removesuffix("()").rpartition(".")[2])
    linked = full and (not text.islower() or "_" in text)
    return [_link(full, text) if linked else nodes.literal(rawtext, text)], []


def _link(full, text):
    # `refwarn`: a link that leads nowhere fails the build.
    options = {"refdomain": "py", "reftype": "obj", "reftarget": full, "refexplicit": True}
    return pending_xref("", nodes.literal("", text), refwarn=True, **options)


def hand_on_comments(app):
    """Autodoc finds what is said of a constant only in the module that it looks at, not in the one
    that it was imported from."""
    for name, (_, said) in exports().items():
        module, _, short = name.rpartition(".")
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.analyze()
        if said:
            analyzer.attr_docs["", short] = said


def shorten_defaults(app, what, name, obj, options, signature, returned):
    """A default that a dataclass makes anew is no Python that Sphinx could read."""
    if signature and "<factory>" in signature:
        return signature.replace("<factory>", "..."), returned


def mark_examples(app, what, name, obj, options, lines):
    """What a docstring sets in by four columns after a paragraph is an example: as it stands."""
    if what in ("property", "attribute", "data"):
        lines[:0] = ["..", ""]  # or napoleon takes the first line up to its colon for a type
    for i in range(len(lines) - 1, 1, -1):
        if lines[i].startswith("    ") and not lines[i - 1] and lines[i - 2][:1].strip():
            lines[i - 1 : i] = ["", "::", ""]


def add_chapter(app, what, name, obj, options, lines):
    """Under a documented name its chapter, under the package the names that it offers itself."""
    if name == "unmix_lite":
        lines += [f"* :py:obj:`unmix_lite.{each} <{addresses()[each]}>`" for each in obj.__all__]
    if page := home().get(name):
        lines += ["", f"Chapter: :doc:`/{page}`", ""]


def add_names(app, doctree):
    """At the end of a chapter the names that are its own."""
    page = app.env.docname
    names = [name for name, place in home().items() if place == page]
    if not names:
        return
    paragraph = nodes.paragraph("", "In the package: ", classes=["in-the-package"])
    for name in names:
        paragraph += [_link(name, name.rpartition(".")[2]), nodes.Text(", ")]
    paragraph[-1] = nodes.Text(".")
    next(iter(doctree.findall(nodes.section))).append(paragraph)


def setup(app):
    app.add_role("api", code_role)
    app.connect("builder-inited", hand_on_comments)
    app.connect("autodoc-process-signature", shorten_defaults)
    # Before and after napoleon, which turns the sections of a docstring into fields.
    app.connect("autodoc-process-docstring", mark_examples, priority=100)
    app.connect("autodoc-process-docstring", add_chapter, priority=900)
    app.connect("doctree-read", add_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
