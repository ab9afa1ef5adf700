"""Time evaluation next to mmdet's eval_map on the size of VOC2007 test: python tools/benchmark/eval.py."""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Time evaluation next to mmdet's eval_map in the same process.")
    parser.add_argument('--images', type=int, default=4952, help='number of images (default: %(default)s)')
    parser.add_argument('--detections', type=int, default=100, help='detections an image (default: %(default)s)')
    parser.add_argument('--classes', type=int, default=20, help='number of classes (default: %(default)s)')
    parser.add_argument('--repeats', type=int, default=5, help='runs of each, taken in turns (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print the numbers as one JSON object in the last line')
    return parser.parse_args()


def main() -> int:
    """Print both medians, their ratio and the largest difference in AP."""
    args = vars(parse_args())
    from mobilenext_det.speed.evaluation import compare_evaluation

    as_json = args.pop('json')
    compare_evaluation(**args).show(as_json)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
