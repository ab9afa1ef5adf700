"""Time the start of a training beside stock MMDetection's: python tools/benchmark/startup.py --data-root data/toy.

From the command to the first finished iteration, by phase; and the imports by package.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Time the start of a training beside stock MMDetection's, in turns.")
    parser.add_argument('--data-root', default='data/toy', help='folder that holds VOC2007/ (default: %(default)s)')
    parser.add_argument('--batch-size', type=int, default=2, help='images of a step (default: %(default)s)')
    parser.add_argument('--size', type=int, default=320, help='side of the input in pixels (default: %(default)s)')
    parser.add_argument('--workers', type=int, default=2, help='loader processes (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=3, help='starts of each (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print the numbers as one JSON object in the last line')
    return parser.parse_args()


def main() -> int:
    """Print the tables, or say in one sentence what is wrong."""
    args = parse_args()
    from mobilenext_det.speed.commands import Settings
    from mobilenext_det.speed.startup import compare_startup

    settings = Settings(args.data_root, args.batch_size, args.size, args.workers)
    compare_startup(settings, args.rounds).show(args.json)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
