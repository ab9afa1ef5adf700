"""Train what people pick instead on your data: python tools/benchmark/peers.py mine/mine.py --out work_dirs/peers.

Ours and MMDetection's RTMDet-tiny, YOLOX-tiny and SSDLite, one after another, each for the same minutes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    names = ('ours', 'rtmdet-tiny', 'yolox-tiny', 'ssdlite-mobilenetv2')
    parser = argparse.ArgumentParser(description='Train light detectors on one data set, each for the same minutes.')
    parser.add_argument('config', help='a config that tools/prepare.py wrote')
    parser.add_argument(
        '--out', type=Path, required=True, metavar='DIR', help='folder for runs; finished ones are not run again'
    )
    parser.add_argument('--minutes', type=float, default=20, help='how long each trains (default: %(default)s)')
    parser.add_argument('--detectors', nargs='+', choices=names, default=names, help='which (default: all)')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='a run for each (default: 0)')
    parser.add_argument(
        '--weights', metavar='FILE', help='checkpoint for the backbone of ssdlite-mobilenetv2 (default: from scratch)'
    )
    parser.add_argument('--json', action='store_true', help='print the numbers as one JSON object in the last line')
    return parser.parse_args()


def main() -> int:
    """Print the table, or say in one sentence what is wrong."""
    args = parse_args()
    from mobilenext_det.peers.contest import run_contest

    contest = run_contest(args.config, args.out, args.minutes, args.detectors, args.seeds, args.weights)
    contest.write(args.out / 'peers')
    contest.show(args.json)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
