"""Time the training transforms beside mmdet's own, on one core.

With pictures of VOC's size:

    python tools/data/make_toy_voc.py --out data/toy500 --size 500 --trainval 200 --test 20
    python tools/benchmark/pipeline.py --data-root data/toy500
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Time the training transforms beside mmdet's own, in turns.")
    parser.add_argument('--data-root', default='data/toy', help='folder that holds VOC2007/ (default: %(default)s)')
    parser.add_argument('--images', type=int, default=200, help='pictures to take (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=3, help='how often to go over them (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print the numbers as one JSON object in the last line')
    return parser.parse_args()


def main() -> int:
    """Print the tables, or say in one sentence what is wrong."""
    args = vars(parse_args())
    from mobilenext_det.speed.pipeline import compare_pipeline

    as_json = args.pop('json')
    compare_pipeline(**args).show(as_json)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
