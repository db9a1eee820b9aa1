"""The set-up cell in an environment like Colab's, which has torch and Jupyter and no unmix_lite."""

import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
import scipy
import stamp
from environments import borrowing, copy_package
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

# What the reader does next: import, and analyse and invert a second of noise.
USE = """
import json, numpy, torch, unmix_lite
noise = torch.randn(2, 44100)
stft = unmix_lite.STFT()
error = (stft.inverse(stft(noise), noise.shape[-1]) - noise).abs().max().item()
print(json.dumps({"error": error, "version": torch.__version__, "from": unmix_lite.__file__,
                  "torch": torch.__file__, "numpy": numpy.__file__}))
"""


# What Colab brings of what we ask for; musdb, museval and pyloudnorm are left to be installed.
COLAB = [
    "torch", "torchaudio", "numpy", "scipy", "soundfile", "soxr", "safetensors", "librosa",
    "matplotlib", "pandas", "ipywidgets", "ipykernel",
]  # fmt: skip


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A virtual environment that borrows from this one what Colab brings."""
    return borrowing(tmp_path_factory.mktemp("colab"), *COLAB).parents[1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, repository):
    """A copy of what a clone holds of the package, with an empty notebooks folder."""
    root = copy_package(repository, tmp_path_factory.mktemp("clone"))
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


def test_a_package_too_old_for_us_is_named_in_one_line(environment, checkout, registry, tmp_path):
    """As on a machine whose SciPy, which stays as it is, is older than the oldest that we take."""
    shutil.copytree(checkout, tmp_path / "clone")
    project = tmp_path / "clone" / "pyproject.toml"
    text, count = re.subn('"scipy>=[0-9.]+"', '"scipy>=99"', project.read_text())
    assert count == 1
    project.write_text(text)
    (text,) = run(environment, tmp_path / "clone" / "notebooks", stamp.Stamp().cell)
    assert text == (
        f"No unmix_lite: it needs scipy>=99, and scipy=={scipy.__version__} is installed. "
        "Update that, restart the kernel and run this cell again."
    )
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
    assert {"musdb", "museval", "pyloudnorm"} <= set(after) - set(before), "the extra [course]"
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
    elsewhere = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{checkout}.insteadOf",
        "GIT_CONFIG_VALUE_0": here.url,
    }
    line, used = run(environment, tmp_path, here.cell, USE, **elsewhere)
    assert line.startswith("unmix_lite 0.1.0, torch ")
    used = json.loads(used)
    assert used["from"].startswith(str(environment)) and used["error"] < 1e-5
