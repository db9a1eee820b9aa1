"""The repository's address: one place to change it, and no file that disagrees."""

import json
import shutil

import pytest
import stamp

OLD, NEW = "https://github.com/unmix-lite/unmix-lite", "https://github.com/teacher/unmix-2027"
BADGE = "https://colab.research.google.com/github/{}/blob/main/notebooks/01_mixture.ipynb"


def cells(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


@pytest.fixture
def project(tmp_path, repository):
    """A small project: the real configuration, a README and two notebooks, not stamped yet."""
    for name in ["_config.yml", "pyproject.toml", "CITATION.cff"]:
        shutil.copy(repository / name, tmp_path)
    (tmp_path / "README.md").write_text(
        f"Run `git clone {OLD}.git`, read {OLD}/issues or\n"
        "https://unmix-lite.github.io/unmix-lite/ and https://github.com/sigsep/norbert.\n"
    )
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ["01_mixture", "02_stft"]:
        notebook = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
            "cells": [
                {
                    "cell_type": "markdown",
                    "id": "a",
                    "metadata": {},
                    "source": [f"# {name}\n", f"[Colab]({BADGE.format('some/one')})"],
                },
                {
                    "cell_type": "code",
                    "id": "b",
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                    "source": ["print('hello')"],
                },
            ],
        }
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    return tmp_path


def move(project, url):
    config = project / "_config.yml"
    config.write_text(config.read_text().replace(OLD, url))


def test_repository_agrees_with_its_configuration():
    assert stamp.Stamp().disagreements() == []


def test_every_notebook_begins_with_the_same_set_up_cell(repository):
    expected = stamp.Stamp().cell
    notebooks = stamp.notebooks(repository)
    assert notebooks
    for path in notebooks:
        code = [
            cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"
        ]
        assert "".join(code[0]["source"]) == expected, path.name


def test_stamping_inserts_the_cell_and_is_idempotent(project):
    here = stamp.Stamp(project)
    assert len(here.disagreements()) == 2  # the two notebooks, nothing else
    here.write()
    assert here.disagreements() == []
    assert here.write() == []
    title, setup, hello = cells(project / "notebooks" / "01_mixture.ipynb")
    assert BADGE.format("unmix-lite/unmix-lite") in title
    assert setup == here.cell and hello == "print('hello')"


def test_a_move_reaches_every_file_and_leaves_other_projects_alone(project):
    stamp.Stamp(project).write()
    move(project, NEW)
    moved = stamp.Stamp(project)
    assert len(moved.disagreements()) == 5
    moved.write()
    assert stamp.Stamp(project).disagreements() == []
    readme = (project / "README.md").read_text()
    assert f"git clone {NEW}.git`" in readme and f"{NEW}/issues" in readme
    assert "https://teacher.github.io/unmix-2027/" in readme
    assert "https://github.com/sigsep/norbert." in readme
    for path in project.glob("**/*.*"):
        assert not path.is_file() or OLD not in path.read_text(), path
    assert f"git+{NEW}@main" in cells(project / "notebooks" / "02_stft.ipynb")[1]


@pytest.mark.parametrize(
    "file, old, new",
    [
        ("CITATION.cff", OLD, "https://github.com/another/place"),
        ("README.md", OLD + "/issues", "https://github.com/another/unmix-lite/issues"),
        ("README.md", f"git clone {OLD}", "git clone https://github.com/another/place"),
        ("notebooks/02_stft.ipynb", "unmix-lite@main", "unmix-lite@master"),
        ("notebooks/02_stft.ipynb", "github/unmix-lite/", "github/another/"),
        ("notebooks/02_stft.ipynb", "torchvision", "torchtext"),
    ],
)
def test_a_stray_address_or_an_edited_cell_is_found(project, file, old, new):
    stamp.Stamp(project).write()
    path = project / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    (line,) = stamp.Stamp(project).disagreements()
    assert line.startswith(f"{file}: ") and "make stamp" in line


def test_a_colab_link_to_nowhere_is_found(project):
    stamp.Stamp(project).write()
    (project / "notebooks" / "01_mixture.ipynb").unlink()
    (line,) = stamp.Stamp(project).disagreements()  # 02 still links to 01
    assert "01_mixture.ipynb, which does not exist" in line


def test_an_address_elsewhere_than_github_is_refused(project):
    move(project, "https://example.org/unmix")
    with pytest.raises(SystemExit, match="must read https://github.com/owner/name"):
        stamp.Stamp(project)
