"""Make a config from a folder of labelled images: python tools/prepare.py FOLDER --out mine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description='Read labelled images (VOC XML, COCO JSON, YOLO text, labelme, CVAT), and write lists of train, '
        'val and test images, a config with priors that fit, and a page about the data.'
    )
    parser.add_argument('folder', type=Path, help='folder with images and labels, at any depth; it stays as it is')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='folder for the config, named as it is')
    parser.add_argument('--format', choices=['voc', 'coco', 'yolo', 'labelme', 'cvat'], help='if there are several')
    parser.add_argument('--classes', nargs='+', default=[], metavar='NAME', help='classes (default: all that occur)')
    parser.add_argument('--rename', nargs='+', default=[], metavar='WRONG=RIGHT', help='names of classes to correct')
    parser.add_argument('--input-size', type=int, metavar='PIXELS', help="side of the network's input (default: fits)")
    parser.add_argument(
        '--minutes',
        type=float,
        help='how long to train at most: the pace of this machine is measured (default: 35 or 60 epochs)',
    )
    parser.add_argument('--seed', type=int, default=0, help='of the split, if the data has none (default: 0)')
    return parser.parse_args()


def main() -> int:
    """Prepare, and print what was found and what to do next."""
    args = parse_args()
    from mobilenext_det.own_data.prepare import prepare, renamings
    from mobilenext_det.own_data.summary import print_summary

    prepared = prepare(
        args.folder,
        args.out,
        form=args.format,
        classes=args.classes,
        rename=renamings(args.rename),
        input_size=args.input_size,
        minutes=args.minutes,
        seed=args.seed,
    )
    print_summary(prepared)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
