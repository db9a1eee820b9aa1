"""The set-up cell in an environment like Colab's: torch, numpy and Jupyter, and no unmix_lite."""

import importlib.metadata as metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat
import pytest
import stamp
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from packaging.requirements import Requirement

# What the reader does next: import, and analyse and invert a second of noise.
USE = """
import json, numpy, torch, unmix_lite
noise = torch.randn(2, 44100)
stft = unmix_lite.STFT()
error = (stft.inverse(stft(noise), noise.shape[-1]) - noise).abs().max().item()
print(json.dumps({"error": error, "version": torch.__version__, "from": unmix_lite.__file__,
                  "torch": torch.__file__, "numpy": numpy.__file__}))
"""


def closure(*names):
    """The installed distributions that `names` need, themselves included."""
    found, todo = {}, list(names)
    while todo:
        try:
            distribution = metadata.distribution(todo.pop())
        except metadata.PackageNotFoundError:  # for another system
            continue
        if distribution.name not in found:
            found[distribution.name] = distribution
            needs = map(Requirement, distribution.requires or [])
            todo += [
                need.name
                for need in needs
                if need.marker is None or need.marker.evaluate({"extra": ""})
            ]
    return found.values()


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A virtual environment that borrows torch, numpy and Jupyter from this one.

    They are links in a folder of their own, so that pip sees them but can remove none.
    """
    folder = tmp_path_factory.mktemp("colab")
    borrowed, own = folder / "borrowed", folder / "venv"
    borrowed.mkdir()
    here = Path(sysconfig.get_path("purelib"))
    for distribution in closure("torch", "numpy", "ipykernel"):
        for top in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            if not (borrowed / top).exists():
                (borrowed / top).symlink_to(here / top)
    subprocess.run([sys.executable, "-m", "venv", str(own)], check=True)
    (site,) = own.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(f"{borrowed}\n")
    return own


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, repository):
    """A copy of what a clone holds of the package, with an empty notebooks folder."""
    root = tmp_path_factory.mktemp("clone")
    for name in ["pyproject.toml", "README.md", "LICENSE"]:
        shutil.copy(repository / name, root)
    shutil.copytree(
        repository / "unmix_lite", root / "unmix_lite", ignore=shutil.ignore_patterns("__pycache__")
    )
    (root / "notebooks").mkdir()
    return root


def run(environment, folder, *sources, **variables):
    """Run cells in `environment` from `folder`; returns what each printed, errors included."""
    specs = folder / "kernels" / "colab"
    specs.mkdir(parents=True, exist_ok=True)
    python = str(environment / "bin" / "python")
    (specs / "kernel.json").write_text(
        json.dumps(
            {
                "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                "display_name": "Colab",
                "language": "python",
            }
        )
    )
    manager = AsyncKernelManager(
        kernel_name="colab", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(specs.parent)])
    )
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))
    client = NotebookClient(
        notebook, km=manager, timeout=600, resources={"metadata": {"path": str(folder)}}
    )
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        client.execute(env={**clean, **variables})
    except CellExecutionError:
        pass  # the outputs tell
    return [
        "".join(output.get("text", output.get("evalue", "")) for output in cell.outputs)
        for cell in notebook.cells
    ]


def versions(environment):
    """What pip finds in `environment`: a dict name -> version."""
    listed = subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "list", "--format=json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {entry["name"]: entry["version"] for entry in json.loads(listed.stdout)}


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """Skips where pip reaches no package index."""
    folder = tmp_path_factory.mktemp("registry")
    tried = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), "tqdm"],
        capture_output=True,
    )
    if tried.returncode:
        pytest.skip("needs a package index, and pip reaches none")


def test_without_a_network_one_line_says_what_to_do(environment, checkout):
    (text,) = run(
        environment, checkout / "notebooks", stamp.Stamp().cell, PIP_NO_INDEX="1", PIP_FIND_LINKS=""
    )
    assert text.startswith("No unmix_lite: ERROR: ") and "\n" not in text
    assert text.endswith("Is there a network? Then run this cell again.")
    assert "unmix-lite" not in versions(environment)


def test_cell_installs_what_is_missing_and_nothing_twice(environment, checkout, registry):
    cell, before = stamp.Stamp().cell, versions(environment)
    line, used = run(environment, checkout / "notebooks", cell, USE)
    used = json.loads(used)
    assert re.fullmatch(rf"unmix_lite 0\.1\.0, torch {re.escape(used['version'])}, on .+\n", line)
    assert used["error"] < 1e-5
    assert used["from"].startswith(str(checkout)), "a clone's own package is used"

    after = versions(environment)
    assert after.pop("unmix-lite") == "0.1.0"
    assert {name: after[name] for name in before} == before, "an installed package was changed"
    for name in ["torch", "numpy"]:
        assert "/borrowed/" in used[name], f"another {name} was put before the installed one"

    # A second time, with no index to install from and pip itself gone from sight.
    again = run(environment, checkout / "notebooks", cell, PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert again == [line]
    assert versions(environment) == {**after, "unmix-lite": "0.1.0"}


def test_outside_a_clone_the_package_comes_from_the_repository(
    environment, checkout, registry, tmp_path
):
    """Colab's case, with a repository on this disk in the place of the one on GitHub."""
    subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "uninstall", "-qy", "unmix-lite"], check=True
    )
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(checkout)]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)
    here = stamp.Stamp()
    cell = here.cell.replace(here.url, f"file://{checkout}")
    assert cell != here.cell
    line, used = run(environment, tmp_path, cell, USE)
    assert line.startswith("unmix_lite 0.1.0, torch ")
    used = json.loads(used)
    assert used["from"].startswith(str(environment)) and used["error"] < 1e-5
