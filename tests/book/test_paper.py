"""The paper cites what it lists, as the book does."""

import re

import yaml


def entries(path):
    """A bibliography as a dict: key -> the entry's text."""
    found = re.finditer(r"^@\w+\{([\w-]+),.*?^\}", path.read_text("utf8"), re.MULTILINE | re.DOTALL)
    return {entry[1]: entry[0] for entry in found}


def test_the_paper_cites_what_its_bibliography_lists(repository):
    paper = (repository / "paper.md").read_text("utf8")
    cited = set(re.findall(r"[\[ ]@([\w-]+)", paper))
    assert cited == set(entries(repository / "paper.bib"))


def test_its_bibliography_is_part_of_the_books(repository):
    book = entries(repository / "book" / "references.bib")
    for key, entry in entries(repository / "paper.bib").items():
        assert entry == book[key], key


def test_it_is_by_those_whom_one_cites(repository):
    _, head, _ = (repository / "paper.md").read_text("utf8").split("---\n", 2)
    citation = yaml.safe_load((repository / "CITATION.cff").read_text("utf8"))
    paper = yaml.safe_load(head)
    assert [a["name"] for a in paper["authors"]] == [a["name"] for a in citation["authors"]]
    assert (repository / paper["bibliography"]).is_file()


def test_it_counts_the_chapters_as_they_are(repository):
    words = "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    paper = (repository / "paper.md").read_text("utf8").lower()
    for folder, thing in (("notebooks", "chapters"), ("notebooks/assignments", "assignments")):
        count = len(list((repository / folder).glob("*.ipynb")))
        assert re.search(rf"\b{words.split()[count]}\s{thing}\b", paper)
