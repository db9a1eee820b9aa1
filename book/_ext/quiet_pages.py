"""Pages that write nothing to the browser's console: two errors of the theme's, mended.

It brings thebe, which runs code in a page, twice and from another host; no page here uses it. And
it asks for a colour mode that has not been set.
"""


def mend(app, pagename, templatename, context, doctree):
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in f"{script} {getattr(script, 'attributes', {})}".lower()
    ]
    context["default_mode"] = "auto"


def setup(app):
    # After all that add scripts.
    app.connect("html-page-context", mend, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
