"""Write the page that separates songs as one HTML file: python book/_tools/write_page.py FILE"""

import sys
import tempfile
from pathlib import Path

from unmix_lite.explore import write_engine, write_page, write_songs


def main(file):
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        write_engine(folder)
        write_page(file, folder, write_songs(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
