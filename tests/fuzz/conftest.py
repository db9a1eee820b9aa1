"""How long to look: CI tries the same few cases each time; by hand one looks for as many as one
likes (FUZZ=2000 python -m pytest tests/fuzz)."""

import os

from hypothesis import HealthCheck, settings

cases = int(os.environ.get("FUZZ", "0"))
settings.register_profile(
    "unmix-lite",
    max_examples=cases or 15,
    derandomize=not cases,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("unmix-lite")
