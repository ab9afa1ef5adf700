"""Make the synthetic VOC2007 data set: python tools/data/make_toy_voc.py --out data/toy."""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Make a synthetic data set in full VOC2007 layout.')
    parser.add_argument('--out', required=True, help='folder in which VOC2007/ is made: the data root')
    parser.add_argument('--trainval', type=int, default=1500, help='number of training and validation images')
    parser.add_argument('--test', type=int, default=500, help='number of held-out images')
    parser.add_argument('--seed', type=int, default=0, help='the same seed makes the same scenes')
    parser.add_argument('--size', type=int, default=160, help='long side of the images in pixels')
    parser.add_argument('--workers', type=int, help='number of processes (default: number of CPU cores)')
    return parser.parse_args()


def main() -> int:
    """Make the set, or say that it is there."""
    args = parse_args()
    from mobilenext_det.datasets.toy_voc import make_toy_voc

    made = make_toy_voc(**vars(args))
    state = 'made' if made else 'were there already'
    print(f'{args.out}/VOC2007: {args.trainval} trainval and {args.test} test images {state}.')
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
