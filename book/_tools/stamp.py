"""Carry the repository's address from _config.yml to every place that needs it.

    python book/_tools/stamp.py           write it
    python book/_tools/stamp.py --check   fail, with one line a file, where it is missing or differs

The address stands in the set-up cell of every notebook (made from setup_cell.py beside this
file), in the Colab links, and wherever README.md, CITATION.cff, pyproject.toml or a page of the
book names the repository or the published book. After a move, or in a fork: change `repository`
in _config.yml and run `make stamp`.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FORGE = r"https://github\.com/"
SLUG = r"[\w.-]+/[\w.-]*?\w(?=\.git\b|[^\w.-]|\.?$|\.\s)"  # owner/name
COLAB = rf"(https://colab\.research\.google\.com/github/){SLUG}(/blob/)[\w.-]+/"
# What one installs or clones from is this project's own address, whatever it says.
OWN = rf"(git\+|git clone |Repository = \"|repository-code: \"){FORGE}{SLUG}"


class Stamp:
    """The address in the _config.yml of `root`, and how each file must read to agree with it."""

    def __init__(self, root=ROOT):
        self.root = Path(root)
        repository = yaml.safe_load((self.root / "_config.yml").read_text())["repository"]
        self.url, self.branch = repository["url"], repository["branch"]
        if not re.fullmatch(FORGE + SLUG, self.url):
            raise SystemExit(
                "_config.yml: repository.url must read https://github.com/owner/name, "
                f"not {self.url}"
            )
        self.slug = self.url.removeprefix("https://github.com/")
        template = Path(__file__).with_name("setup_cell.py").read_text().rstrip("\n")
        self.cell = template.replace("{repository}", self.url).replace("{branch}", self.branch)
        # pyproject.toml still carries the last stamp after _config.yml has changed.
        last = re.search(
            rf'Repository = "{FORGE}({SLUG})"', (self.root / "pyproject.toml").read_text()
        )
        self.last_slug = last.group(1) if last else self.slug

    def files(self):
        """Every file that may carry the address."""
        names = ["README.md", "CITATION.cff", "pyproject.toml", "book/**/*.md"]
        return [path for name in names for path in sorted(self.root.glob(name))] + notebooks(
            self.root
        )

    def stamped(self, path):
        """The text of the file at `path`: (as found, as it should be)."""
        found = path.read_text(encoding="utf8")
        if path.suffix != ".ipynb":
            return found, self._text(found)
        book = json.loads(found)
        return _dump(book), _dump(self._notebook(book))

    def _text(self, text):
        text = re.sub(COLAB, rf"\g<1>{self.slug}\g<2>{self.branch}/", text)
        text = re.sub(OWN, rf"\g<1>{self.url}", text, flags=re.MULTILINE)
        # Other links, such as .../issues, are known by the last stamp or by the repository's name.
        name = re.escape(self.slug.split("/")[1])
        known = rf"{FORGE}(?:{re.escape(self.last_slug)}|[\w-]+/{name})(?![\w-])"
        return re.sub(known, self.url, text).replace(_pages(self.last_slug), _pages(self.slug))

    def _notebook(self, book):
        for cell in book["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = self._text("".join(cell["source"]))
        at = next((i for i, c in enumerate(book["cells"]) if c["cell_type"] == "code"), None)
        if at is None:  # a notebook of prose needs no set-up
            return book
        title = self.cell.splitlines()[0]
        if not "".join(book["cells"][at]["source"]).startswith(title):
            identity = {"id": "set-up"} if book["nbformat_minor"] >= 5 else {}
            book["cells"].insert(at, {"cell_type": "code", **identity})
        book["cells"][at].update(
            source=self.cell,
            metadata={"tags": ["hide-input", "set-up"]},
            execution_count=None,
            outputs=[],
        )
        return book

    def write(self):
        """Stamp every file that needs it; returns their paths."""
        changed = []
        for path in self.files():
            found, wanted = self.stamped(path)
            if found != wanted:
                path.write_text(wanted, encoding="utf8")
                changed.append(path.relative_to(self.root))
        return changed

    def disagreements(self):
        """One line for every file that does not agree and for every Colab link to nowhere."""
        lines = []
        for path in self.files():
            name, (found, wanted) = path.relative_to(self.root), self.stamped(path)
            if found != wanted:
                lines.append(
                    f"{name}: its set-up cell or an address does not agree with "
                    f"repository.url in _config.yml ({self.url}): run `make stamp`"
                )
            for link in re.finditer(COLAB + r"([\w./-]+\.ipynb)", wanted):
                if not (self.root / link[3]).is_file():
                    lines.append(f"{name}: its Colab link leads to {link[3]}, which does not exist")
        return lines


def notebooks(root=ROOT):
    """The paths of the notebooks of `root`, without an editor's hidden copies."""
    return [
        path
        for path in sorted(Path(root).glob("notebooks/**/*.ipynb"))
        if ".ipynb_checkpoints" not in path.parts
    ]


def _pages(slug):
    """Where GitHub Pages publishes the book of the repository `slug`."""
    return "https://{}.github.io/{}".format(*slug.split("/"))


def _dump(book):
    """A notebook as Jupyter writes it, so that a stamp changes no line but its own."""
    for cell in book["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Carry the repository's address everywhere.")
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    check = parser.parse_args().check
    lines = Stamp().disagreements() if check else [f"stamped {p}" for p in Stamp().write()]
    print("\n".join(lines) or "every address agrees with _config.yml")
    sys.exit(1 if check and lines else 0)


if __name__ == "__main__":
    main()
