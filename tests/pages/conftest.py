"""Each page is looked at by one process, which remembers what it saw: `pytest -n 2`."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if page := getattr(item, "callspec", None) and item.callspec.params.get("page"):
            item.add_marker(pytest.mark.xdist_group(page))
