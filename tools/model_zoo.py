"""Write docs/model_zoo.md from configs/metafile.yml: python tools/model_zoo.py."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mobilenext import exit_code

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    return argparse.ArgumentParser(description='Write docs/model_zoo.md from configs/metafile.yml.').parse_args()


def main() -> int:
    """Write the page, or say in one sentence which config or entry is missing."""
    parse_args()
    from mobilenext_det.analysis.model_zoo import write_page

    print(write_page(ROOT))
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
