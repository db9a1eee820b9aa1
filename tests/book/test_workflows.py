"""What runs elsewhere: the workflows call what is there, may no more than they need, and release
what was tested; and the version stands in four places."""

import json
import re

import pytest
import yaml

import unmix_lite

WORKFLOWS = ("tests", "weekly", "book", "release")
FOLDERS = "book|notebooks|tests|unmix_lite|benchmarks"
PATHS = re.compile(rf"(?<![\w/.-])(?:{FOLDERS})(?:/[\w.-]+)*(?![\w-])")


@pytest.fixture
def workflow(repository):
    """A function that parses a workflow by its name."""

    def parse(name):
        return yaml.safe_load((repository / ".github" / "workflows" / f"{name}.yml").read_text())

    return parse


def triggers(parsed):
    return parsed[True]  # YAML 1.1 reads the key `on` as true


def commands(job):
    """All lines that a job's steps run."""
    return [line.strip() for step in job["steps"] for line in step.get("run", "").splitlines()]


def actions(job):
    return [step["uses"] for step in job["steps"] if "uses" in step]


def strings(part):
    """Every text in a parsed workflow."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        return [text for item in part for text in strings(item)]
    return [part] if isinstance(part, str) else []


def missing(parsed, repository):
    """The targets and paths that a workflow names and this repository lacks."""
    makefile = (repository / "Makefile").read_text()
    for job in parsed["jobs"].values():
        for text in strings(job["steps"]):
            for target in re.findall(r"\bmake ([a-z][a-z-]*)", text):
                if not re.search(rf"^{target}:", makefile, re.MULTILINE):
                    yield f"make {target}"
            for path in PATHS.findall(text):
                # A job may also make files, and name them in the same breath.
                if "/" in path and not (repository / path).exists():
                    yield path


def test_every_workflow_is_tested_here(repository):
    files = (repository / ".github" / "workflows").glob("*.yml")
    assert {file.stem for file in files} == set(WORKFLOWS)


@pytest.mark.parametrize("name", WORKFLOWS)
class TestWorkflow:
    def test_it_calls_what_is_there(self, name, workflow, repository):
        assert list(missing(workflow(name), repository)) == []

    def test_it_may_only_read_unless_a_job_says_more(self, name, workflow):
        assert workflow(name)["permissions"] == {"contents": "read"}

    def test_no_job_hangs_for_hours(self, name, workflow):
        for title, job in workflow(name)["jobs"].items():
            assert job.get("timeout-minutes", 360) <= 90, title

    def test_its_actions_are_pinned_to_a_major_version(self, name, workflow):
        for job in workflow(name)["jobs"].values():
            for action in actions(job):
                assert re.fullmatch(r"[\w/-]+@(v\d+|release/v\d+)", action)


def test_a_target_or_a_path_that_is_not_there_is_found(repository):
    steps = [
        {"run": "make tests\nmake test"},
        {"uses": "actions/cache@v4", "with": {"path": "book/_tools/conda.txt"}},
        {"run": "python -m pytest tests/audio tests/sound"},
    ]
    found = set(missing({"jobs": {"one": {"steps": steps}}}, repository))
    assert found == {"make tests", "book/_tools/conda.txt", "tests/sound"}


def test_every_push_is_linted_and_tested(workflow):
    parsed = workflow("tests")
    assert {"push", "pull_request"} <= set(triggers(parsed))
    jobs = parsed["jobs"]
    assert "make lint" in commands(jobs["lint"]) and "make check-stamp" in commands(jobs["lint"])
    assert "make test" in commands(jobs["test"]) and "make oldest" in commands(jobs["oldest"])


def test_the_core_is_tested_from_the_oldest_python_on_three_systems(workflow, repository):
    job = workflow("tests")["jobs"]["core"]
    matrix = job["strategy"]["matrix"]
    assert {system.split("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    project = (repository / "pyproject.toml").read_text()
    assert f'\nrequires-python = ">={matrix["python"][0]}"\n' in project
    install, separate = (
        next(i for i, line in enumerate(commands(job)) if line.startswith(start))
        for start in ("python -m pip install pytest", "unmix-lite separate")
    )
    assert separate < install  # what the tests need would hide what the core lacks
    assert "python -m pip install -e . torch==" in commands(job)[0]


def test_torch_and_torchaudio_are_those_of_the_requirements(workflow, repository):
    """They move together, and torchaudio refuses to import beside a torch that is newer."""
    pins = set((repository / "requirements.txt").read_text().splitlines())
    colab = (repository / "book" / "_tools" / "colab.txt").read_text().split()
    named = [word for line in commands(workflow("tests")["jobs"]["core"]) for word in line.split()]
    for words in (named, colab):
        found = {word for word in words if re.match(r"torch(audio)?==", word)}
        assert len(found) == 2 and found <= pins


def test_every_chapter_runs_weekly_on_colabs_versions_and_on_the_newest(workflow, repository):
    parsed = workflow("weekly")
    assert triggers(parsed)["schedule"]
    assert parsed["env"]["UNMIX_LITE_CORPUS"] == "band"
    for name in ("colab", "newest"):
        run = "python -m pytest notebooks --nbval-lax --nbval-current-env"
        assert run in commands(parsed["jobs"][name])
    colab = (repository / "book" / "_tools" / "colab.txt").read_text().splitlines()
    pins = [line for line in colab if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", pin) for pin in pins)
    assert any("-r book/_tools/colab.txt" in line for line in commands(parsed["jobs"]["colab"]))


def test_every_benchmark_runs_weekly(workflow, repository):
    lines = commands(workflow("weekly")["jobs"]["benchmarks"])
    scripts = [
        file.name
        for file in (repository / "benchmarks").glob("*.py")
        if "add_options(parser)" in file.read_text() and file.name != "machine.py"
    ]
    assert len(scripts) >= 4
    for script in scripts:
        assert any(f"benchmarks/{script} " in line for line in lines), script


def test_the_book_is_published_with_the_real_preview_after_the_stamp_check(workflow):
    parsed = workflow("book")
    assert triggers(parsed)["push"]["branches"] == ["main"]
    build, deploy = parsed["jobs"]["build"], parsed["jobs"]["deploy"]
    run = commands(build)
    check = ".venv/bin/python book/_tools/stamp.py --check"
    assert run.index(check) < run.index("make book CORPUS=preview") < run.index("make pages")
    assert "actions/upload-pages-artifact@v3" in actions(build)
    assert "actions/deploy-pages@v4" in actions(deploy) and deploy["needs"] == "build"


def test_a_release_is_published_without_a_password(workflow):
    parsed = workflow("release")
    assert triggers(parsed) == {"push": {"tags": ["v*"]}}
    pypi = parsed["jobs"]["pypi"]
    assert pypi["permissions"] == {"id-token": "write"} and pypi["environment"] == "pypi"
    assert any(action.startswith("pypa/gh-action-pypi-publish@") for action in actions(pypi))
    assert not any("secrets." in text for text in strings(parsed))
    # Nothing is published before all of it has been built.
    assert set(pypi["needs"]) == {"package", "book"}
    assert parsed["jobs"]["github"]["needs"] == "pypi"


def test_the_released_book_has_no_songs_of_others(workflow):
    book = commands(workflow("release")["jobs"]["book"])
    assert "make book" in book and not any("CORPUS" in line for line in book)


def test_issue_forms_ask_for_something(repository):
    forms = sorted((repository / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    parsed = {file.stem: yaml.safe_load(file.read_text()) for file in forms}
    parsed.pop("config")
    assert set(parsed) == {"bug", "page", "question"}
    for form in parsed.values():
        assert form["name"] and form["description"]
        identities = [part["id"] for part in form["body"]]
        assert len(set(identities)) == len(identities)
        assert any(part.get("validations", {}).get("required") for part in form["body"])


def test_the_container_sets_itself_up(repository):
    container = json.loads((repository / ".devcontainer" / "devcontainer.json").read_text())
    assert container["postCreateCommand"] == "make install"


def test_the_version_is_the_same_everywhere(repository):
    project = (repository / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)[1]
    citation = yaml.safe_load((repository / "CITATION.cff").read_text())
    released = re.findall(
        r"^## \[([\d.]+)\] - (\S+)$", (repository / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert unmix_lite.__version__ == citation["version"] == version
    assert released[0] == (version, str(citation["date-released"]))
