"""Measure gradient confusion and information loss of networks side by side, at one or more points of their training.

    python tools/analysis/gradients.py A.py A.py=work_dirs/a/iter_1600.pth B.py B.py=work_dirs/b/iter_1600.pth --out DIR

A config alone is its network as training starts. All networks see the same images when their configs read the same
data, in batches of each config's own size.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('networks', nargs='+', metavar='CONFIG[=CHECKPOINT]', help='a config, or one and its weights')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for gradients.json and the plots')
    parser.add_argument('--batches', type=int, default=16, help='mini-batches to compare (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='seed of weights, order and augmentation (default: 0)')
    parser.add_argument('--data-root', help="folder that holds the data, instead of the configs' own")
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='settings to change in all configs, such as train_dataloader.batch_size=8',
    )
    return parser.parse_args()


def main() -> int:
    """Measure and draw, or say in one sentence what is missing."""
    args = vars(parse_args())
    from mobilenext_det.analysis.gradients import gradients

    gradients(**args)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
