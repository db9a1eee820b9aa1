"""Controls in the built pages: the module that a notebook's widget has, mounted by a small loader.

A cell that ends with a control stores its first state as HTML, with a still figure for where no
script runs. Each module becomes one classic script in the output's _static (modules are not loaded
from `file://`), and a page gets those of the controls that stand on it.
"""

import re
from pathlib import Path

from myst_nb.sphinx_ import NbMetadataCollector

from unmix_lite.explore import bundle
from unmix_lite.explore.explorable import HERE

_FOUND = re.compile(r'data-explorable="(\w+)"><svg')


def script(name):
    """A control's module as a script that mounts all of its kind on a page."""
    code, loader = bundle(HERE / f"{name}.mjs"), "module_control.mountAll"
    return f'(() => {{\n{code}\n{loader}("{name}", bundled.render);\n}})();\n'


def use(app, pagename, templatename, context, doctree):
    for name in sorted(set(_FOUND.findall(context.get("body", "")))):
        path = Path(app.outdir) / "_static" / "kit" / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script(name), encoding="utf-8")
        app.add_js_file(f"kit/{name}.js", loading_method="defer")


def drop_widget_state(app, pagename, templatename, context, doctree):
    """Widgets' state holds what the HTML holds, once more, and nothing on a page reads it."""
    NbMetadataCollector.get_js_files(app.env, pagename).pop("ipywidgets_state", None)


def setup(app):
    app.connect("html-page-context", drop_widget_state, priority=100)
    app.connect("html-page-context", use)
    # A page has no kernel: of a widget it shows the HTML.
    app.connect("config-inited", prefer_html, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def prefer_html(app, config):
    config.nb_mime_priority_overrides = [("*", "text/html", 0)]
