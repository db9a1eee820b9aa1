"""Run the book's notebooks side by side, one per core, into the cache that Jupyter Book reads.

Jupyter Book itself runs one notebook after another. Whatever is in its execution cache it only
reads; so this script runs what is missing there, as Jupyter Book would, several at a time with one
thread each. A notebook that fails is reported and left out: Jupyter Book runs it again and says
where it failed.
"""

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution

ROOT = Path(__file__).resolve().parents[2]
GIGABYTES_EACH = 1.5  # of memory, for the hungriest chapter's kernel


def notebooks_of(toc):
    """The paths below the toc's entry `toc` (nested lists and dictionaries), in reading order."""
    if isinstance(toc, dict):
        toc = toc.items()
        found = [[value] if key in ("file", "root") else notebooks_of(value) for key, value in toc]
    elif isinstance(toc, list):
        found = [notebooks_of(item) for item in toc]
    else:
        return []
    return [path for paths in found for path in paths]


def workers():
    """How many notebooks run at once: JOBS or one per core, as far as memory goes."""
    jobs = int(os.environ.get("JOBS") or os.cpu_count() or 1)
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        jobs = min(jobs, int(memory / 2**30 / GIGABYTES_EACH))
    return max(jobs, 1)


def missing(root, cache):
    """{path: notebook} of the toc's notebooks below `root` that the cache does not hold."""
    toc = yaml.safe_load((root / "_toc.yml").read_text())
    found = {}
    for name in notebooks_of(toc):
        path = root / f"{name}.ipynb"
        if path.is_file():
            notebook = nbformat.read(path, 4)
            try:
                cache.match_cache_notebook(notebook)
            except KeyError:
                found[path] = notebook
    return found


def run(root, jobs):
    """Run what the cache below `root`/_build lacks, `jobs` at a time; returns how many failed."""
    cache = get_cache(root / "_build" / ".jupyter_cache")
    config = yaml.safe_load((root / "_config.yml").read_text())
    timeout = config["execute"]["timeout"]
    waiting = missing(root, cache)
    failed = 0
    if jobs > 1:
        os.environ["OMP_NUM_THREADS"] = "1"  # inherited by the kernels
    with ThreadPoolExecutor(jobs) as pool:
        runs = {
            pool.submit(single_nb_execution, notebook, path.parent, timeout, False): path
            for path, notebook in waiting.items()
        }
        for number, finished in enumerate(as_completed(runs), start=1):
            path, result = runs[finished], finished.result()
            outcome = "failed" if result.err else f"{result.time:.0f} s"
            name = path.relative_to(root)
            print(f"[{number}/{len(runs)}] {name}: {outcome}", flush=True)
            if result.err:
                failed += 1
                continue
            bundle = CacheBundleIn(result.nb, str(path), data={"execution_seconds": result.time})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return failed


if __name__ == "__main__":
    run(ROOT, workers())
