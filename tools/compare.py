"""Compare detectors over seeds: python tools/compare.py CONFIG_A CONFIG_B ... --seeds 3 --out DIR.

Every config is trained with seeds 0, 1, ... one after another; a comparison that was stopped goes on where it was.
CONFIG=CHECKPOINT,CHECKPOINT... takes weights that are there instead of training them.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Compare detectors: accuracy with intervals, cost, learning curves.')
    parser.add_argument(
        'configs',
        nargs='*',
        metavar='CONFIG[=CHECKPOINT,...]',
        help='config file, with checkpoints behind it if it is not to be trained; others are compared with the first',
    )
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the comparison: runs and report')
    parser.add_argument('--seeds', type=int, default=3, help='trainings of each config (default: %(default)s)')
    parser.add_argument('--data-root', help='folder that holds the data, instead of the one in the configs')
    parser.add_argument('--amp', action='store_true', help='lower precision: faster, also on CPUs with bfloat16')
    parser.add_argument('--latency', action='store_true', help='measure the time for one image, too')
    parser.add_argument(
        '--report-only',
        action='store_true',
        help='train nothing: make the report of the finished runs in --out, of the configs named or else of all',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='settings to change in all configs, such as train_cfg.max_iters=1000',
    )
    return parser.parse_args()


def main() -> int:
    """Compare, or say in one sentence what is missing."""
    args = vars(parse_args())
    from mobilenext_det.comparison.compare import compare

    try:
        compare(args.pop('configs'), args.pop('out'), **args)
    except KeyboardInterrupt:
        print('Stopped: the same command goes on where this one was.', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
