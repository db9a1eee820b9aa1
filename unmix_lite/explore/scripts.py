"""Several JavaScript modules as one script, for pages that may load no file beside them.

A browser loads no module from `file://`, and a worker needs its code in one piece. What is bundled
here is written plainly: `import {a, b} from "./other.mjs";`, a name after `export`, no default, and
no two modules of one name. Comments stay behind.
"""

import re
from pathlib import Path

KIT = Path(__file__).with_name("kit")
"""The folder of the modules that controls and players share."""

_IMPORT = re.compile(r'^import \{([^}]+)\} from "(\.[\w/.-]+\.mjs)";\n', re.MULTILINE)
# Lines that are nothing but a comment: `//` to the end, and `/** ... */` before what is declared.
_COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:.|\n)*?\*/)\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function\*?|class|const|let) (\w+))", re.MULTILINE)


def bundle(entry: Path) -> str:
    """One script that does what the module `entry` does, with all that it imports.

    Each module becomes a function that is called once, in an order in which what a module needs is
    there already. The script ends with an object of the entry's exports named `bundled`.

    Raises:
        ValueError: an import that is not written as above, or modules that import each other.
    """
    parts: dict[str, str] = {}
    _add(entry, parts, ())
    return "\n".join([*parts.values(), f"const bundled = {_variable(entry.stem)};"])


def _add(file: Path, parts: dict[str, str], above: tuple[str, ...]) -> None:
    if file.stem in above:
        raise ValueError(f"{file}: imports itself, by way of {' and '.join(above)}")
    if file.stem in parts:
        return
    text = file.read_text(encoding="utf-8")
    imports = _IMPORT.findall(text)
    for _, path in imports:
        _add(file.parent / path, parts, (*above, file.stem))
    body = _COMMENT.sub("", _IMPORT.sub("", text))
    names = [name for _, name in _EXPORT.findall(body)]
    body = _EXPORT.sub(r"\1", body)
    if left := re.search(r"^(?:import|export)\b.*", body, re.MULTILINE):
        raise ValueError(f"{file}: '{left[0]}' is not written so that it can be bundled")
    # `a as b` of an import is `a: b` where an object is taken apart.
    heads = [
        f"const {{{re.sub(r' as ', ': ', what.strip())}}} = {_variable(Path(path).stem)};"
        for what, path in imports
    ]
    lines = [*heads, body.strip(), f"return {{{', '.join(names)}}};"]
    parts[file.stem] = f"const {_variable(file.stem)} = (() => {{\n" + "\n".join(lines) + "\n})();"


def _variable(stem: str) -> str:
    return "module_" + re.sub(r"\W", "_", stem)
