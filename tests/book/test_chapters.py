"""What can be told of a chapter without running it: its size, its columns, its pictures."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORDS, CELLS, COLUMNS = 4000, 50, 76


def pages():
    """Every page of the book's table of contents, without its ending."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    return [toc["root"], *(entry["file"] for entry in entries)]


CHAPTERS = [
    pytest.param(ROOT / f"{page}.ipynb", id=Path(page).name)
    for page in pages()
    if page.startswith("notebooks/")
]
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


def cells(chapter, kind):
    notebook = json.loads(chapter.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def text(cell):
    return "".join(cell["source"])


def prose(chapter):
    """What is read, without the code blocks and HTML within it."""
    return "\n".join(
        re.sub(r"```.*?```|<[^>]+>", " ", text(cell), flags=re.S)
        for cell in cells(chapter, "markdown")
    )


@every_chapter
def test_a_chapter_fits_its_hour(chapter):
    words = sum(len(text(cell).split()) for cell in cells(chapter, "markdown"))
    assert words <= WORDS and len(cells(chapter, "code")) <= CELLS


@every_chapter
def test_code_fits_the_page(chapter):
    lines = [
        line
        for cell in cells(chapter, "code")
        for line in text(cell).splitlines()
        if len(line) > COLUMNS
    ]
    assert lines == []


@every_chapter
def test_blocks_of_code_in_the_text_fit_the_page(chapter):
    blocks = [
        block
        for cell in cells(chapter, "markdown")
        for block in re.findall(r"```[a-z]*\n(.*?)```", text(cell), re.S)
    ]
    assert [line for block in blocks for line in block.splitlines() if len(line) > 84] == []


@every_chapter
def test_pictures_say_what_they_show(chapter):
    """In words, in a sentence: no path, no name of a variable."""
    for cell in cells(chapter, "code"):
        if re.search(r"\bplots\.(?!style|table|WIDTH|COLOURS|colour)|plt\.subplots", text(cell)):
            image = cell["metadata"].get("mystnb", {}).get("image", {})
            alt = image.get("alt", "")
            if "def " in text(cell) and not alt:
                continue  # it makes a function that draws, and no drawing
            assert len(alt.split()) >= 8 and "/" not in alt and "_" not in alt, text(cell)


@every_chapter
def test_headings_have_no_numbers(chapter):
    """But the chapter's own: sections are found by their names."""
    _, *headings = re.findall(r"^#+ .*", prose(chapter), re.M)
    assert [heading for heading in headings if re.match(r"#+ \d", heading)] == []


@every_chapter
def test_goals_and_time_have_one_form(chapter):
    first = text(cells(chapter, "markdown")[0])
    assert "**After this chapter you can**" in first or "**After this lab you can**" in first
    assert re.search(r"\*\*Time\*\* about \d+ minutes, \d+ with the exercises\.", first)
    assert "**Hardware**" in first


@every_chapter
def test_no_page_shows_where_files_lie_on_this_machine(chapter):
    code = "\n".join(text(cell) for cell in cells(chapter, "code"))
    assert not re.search(r"print\([^\n]*corpus\.(reason|root)|print\(corpus\)", code)


@every_chapter
def test_a_page_plays_only_what_its_licence_allows(chapter):
    """Songs that are heard come from `corpus.examples`, songs to compute with from `tracks`."""
    code = "\n".join(text(cell) for cell in cells(chapter, "code"))
    if re.search(r"\bplayers?\(|blind_test|listening", code) and "open_corpus" in code:
        assert ".examples(" in code


def test_the_teaching_guide_has_the_chapters_times():
    """Its table: name, minutes to read, minutes with the exercises."""
    guide = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[([^\]]+)\]\((\S+)\) \| (\d+) \| (\d+) \|", guide, re.M)
    found = []
    for chapter in (ROOT / f"{page}.ipynb" for page in pages() if page.startswith("notebooks/")):
        first = text(cells(chapter, "markdown")[0])
        title = re.match(r"# (.+)", first)[1]
        times = re.search(r"\*\*Time\*\* about (\d+) minutes, (\d+) with", first).groups()
        found.append((title, f"../{chapter.relative_to(ROOT)}", *times))
    assert listed == found
