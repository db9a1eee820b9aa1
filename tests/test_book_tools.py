"""What surrounds the book: its cache of executed notebooks and its workflows."""

import fresh_cache
import pytest
import yaml


@pytest.fixture
def project(tmp_path):
    """A project that has been built once with the band."""
    for name in ["unmix_lite/audio.py", "unmix_lite/pretrained/vocals.safetensors",
                 "requirements.txt", "_build/.jupyter_cache/global.db", "notebooks/a.ipynb"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("as it was")
    fresh_cache.refresh(tmp_path, "band")
    entry = tmp_path / "_build" / ".jupyter_cache" / "global.db"
    entry.parent.mkdir()
    entry.write_text("executed")
    return tmp_path


def test_cache_is_kept_when_nothing_below_the_notebooks_changed(project):
    (project / "notebooks" / "a.ipynb").write_text("changed")  # Jupyter Book sees that itself
    leftover = project / "unmix_lite" / "__pycache__" / "audio.pyc"
    leftover.parent.mkdir()
    leftover.write_text("compiled")
    assert fresh_cache.refresh(project, "band")
    assert (project / "_build/.jupyter_cache/global.db").exists()


@pytest.mark.parametrize("file", ["unmix_lite/audio.py", "unmix_lite/new.py", "requirements.txt",
                                  "unmix_lite/pretrained/vocals.safetensors"])
def test_cache_is_cleared_when_something_computed_with_changed(project, file):
    (project / file).write_text("changed")
    assert not fresh_cache.refresh(project, "band")
    assert not (project / "_build/.jupyter_cache").exists()
    assert fresh_cache.refresh(project, "band")  # and is kept from then on


def test_cache_is_cleared_for_another_corpus(project):
    assert not fresh_cache.refresh(project, "preview")


def workflow(repository, name):
    """A workflow's triggers and its jobs; YAML reads the key `on` as true."""
    parsed = yaml.safe_load((repository / ".github" / "workflows" / name).read_text())
    return parsed[True], parsed["jobs"]


def commands(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def actions(job):
    return [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step]


def test_tests_run_on_every_push_and_pull_request(repository):
    triggers, jobs = workflow(repository, "tests.yml")
    assert {"push", "pull_request"} <= set(triggers)
    assert "make test" in commands(jobs["test"])


def test_the_book_is_published_with_the_real_preview_after_the_stamp_check(repository):
    triggers, jobs = workflow(repository, "book.yml")
    assert triggers["push"]["branches"] == ["main"]
    run = commands(jobs["build"])
    check = ".venv/bin/python book/_tools/stamp.py --check"
    assert run.index(check) < run.index("make book CORPUS=preview") < run.index("make pages")
    assert "actions/upload-pages-artifact" in actions(jobs["build"])
    assert "actions/deploy-pages" in actions(jobs["deploy"])
    assert jobs["deploy"]["needs"] == "build"


def test_workflows_call_only_targets_that_exist(repository):
    makefile = (repository / "Makefile").read_text()
    for name in ["tests.yml", "book.yml"]:
        for job in workflow(repository, name)[1].values():
            for command in commands(job):
                if command.startswith("make "):
                    assert f"\n{command.split()[1]}:" in makefile, command
