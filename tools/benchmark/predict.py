"""Time prediction beside stock MMDetection's SSDLite: python tools/benchmark/predict.py --data-root data/toy.

A picture's file in, its boxes out, one at a time: stock, ours in PyTorch, and ours exported, in fp32 and int8.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Time prediction beside stock MMDetection's SSDLite, in turns.")
    parser.add_argument('--data-root', default='data/toy', help='folder that holds VOC2007/ (default: %(default)s)')
    parser.add_argument('--images', type=int, default=60, help='pictures to time (default: %(default)s)')
    parser.add_argument('--threads', type=int, default=2, help='threads of each process (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print the numbers as one JSON object in the last line')
    return parser.parse_args()


def main() -> int:
    """Print the table, or say in one sentence what is wrong."""
    args = vars(parse_args())
    from mobilenext_det.speed.prediction import compare_prediction

    as_json = args.pop('json')
    compare_prediction(**args).show(as_json)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
