"""Run every benchmark beside stock MMDetection: python tools/benchmark/all.py --data-root data/toy.

Training, prediction, input pipeline and start, each with its defaults, in one table.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Run every benchmark beside stock MMDetection.')
    parser.add_argument('--data-root', default='data/toy', help='folder that holds VOC2007/ (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print the numbers as one JSON object in the last line')
    return parser.parse_args()


def main() -> int:
    """Print the table, or say in one sentence what is wrong."""
    args = parse_args()
    from mobilenext_det.speed.overview import compare_all

    compare_all(args.data_root).show(args.json)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
