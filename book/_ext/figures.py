"""Figures as drawings (SVG) on a ground that follows the page's light and dark.

The kernels that run the notebooks are told to draw SVG, with letters as letters. In what they drew,
the colours of ink, ground and stems become variables with two values; a browser takes those of the
page, since an image inherits its colour scheme. Pixels within (spectrograms) become WebP, a third
of the size of PNG.
"""

import base64
import io
import os
import re
from pathlib import Path

from PIL import Image

KERNEL = """\
c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.rc = {
    "figure.dpi": 200, "svg.fonttype": "none", "svg.hashsalt": "figure", "legend.frameon": False,
}
c.HistoryManager.enabled = False
"""
# In the drawing, on a light page, on a dark page. Stems as in `unmix_lite.plots`, lightened.
COLOURS = {
    "ground": ("#ffffff", "#ffffff", "#121212"),
    "ink": ("#000000", "#1d2430", "#e7eaf0"),
    "grid": ("#b0b0b0", "#b0b0b0", "#5a6472"),
    "vocals": ("#d55e00", "#d55e00", "#ff8a3d"),
    "drums": ("#0072b2", "#0072b2", "#4aa8e8"),
    "bass": ("#009e73", "#009e73", "#2fcfa0"),
    "other": ("#cc79a7", "#cc79a7", "#e59cc4"),
}
_MARK = 'id="colours"'
_PIXELS = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")


def style():
    """The two sets of colours, as a style sheet within the drawing."""
    light, dark = (
        "".join(f"--{name}:{values[scheme]};" for name, values in COLOURS.items())
        for scheme in (1, 2)
    )
    return (
        f"<style {_MARK}>:root{{{light}color-scheme:light dark}}"
        f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}text{{fill:var(--ink)}}</style>"
    )


def webp(match):
    """An embedded PNG as WebP, where that is smaller."""
    png = base64.b64decode(match[1])
    file = io.BytesIO()
    Image.open(io.BytesIO(png)).save(file, "WEBP", quality=82, method=4)
    if file.tell() >= len(png):
        return match[0]
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def themed(drawing):
    """An SVG of matplotlib's with variables for its colours; any other, or a done one, as it is."""
    if "Matplotlib" not in drawing or _MARK in drawing:
        return drawing
    for name, (drawn, _, _) in COLOURS.items():
        drawing = re.sub(rf"(fill|stroke): {drawn}\b", rf"\1: var(--{name})", drawing, flags=re.I)
    drawing = _PIXELS.sub(webp, drawing)
    # What is filled and says nothing of its colour is black: letters, and markers.
    start = re.search(r"<svg\b[^>]*>", drawing)
    root = start[0][:-1] + ' fill="var(--ink)">'
    return drawing[: start.start()] + root + style() + drawing[start.end() :]


def set_kernels_up(app):
    """Kernels started by this build find their settings in a folder of the build's own."""
    home = Path(app.outdir).parent / "ipython"
    profile = home / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(KERNEL, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(home)


def theme_figures(app, exception):
    if exception or app.builder.format != "html":
        return
    for name in app.builder.images.values():
        file = Path(app.outdir, app.builder.imagedir, name)
        if file.suffix == ".svg" and file.is_file():
            drawing = file.read_text(encoding="utf-8")
            if (done := themed(drawing)) is not drawing:
                file.write_text(done, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", set_kernels_up)
    app.connect("build-finished", theme_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
