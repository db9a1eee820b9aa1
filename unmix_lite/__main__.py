"""`python -m unmix_lite` is `unmix-lite`."""

import sys

from .cli import main

sys.exit(main())
