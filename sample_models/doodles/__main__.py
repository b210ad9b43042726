"""`python -m sample_models.doodles DIR`: a folder of doodles, one folder a class."""

from __future__ import annotations

import argparse
from pathlib import Path

from sample_models.doodles.probe import write_probe


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sample_models.doodles", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=480, help="images altogether (default 480)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.count < 1:
        parser.error("--count must be at least 1")
    if arguments.folder.exists() and any(arguments.folder.iterdir()):
        parser.error(f"{arguments.folder} is not empty; name a new folder")
    write_probe(arguments.folder, arguments.count, arguments.seed)
    print(f"{arguments.count} doodles in {arguments.folder}")


if __name__ == "__main__":
    main()
