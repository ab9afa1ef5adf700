"""Time training beside stock MMDetection's SSDLite: python tools/benchmark/train.py --data-root data/toy.

Real commands, this package's tools/train.py and MMDetection's, take turns on the same images.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Time training beside stock MMDetection's SSDLite, in turns.")
    names = ('mobilenetv2', 'mobilenext', 'mobilenetv2-fp32', 'mobilenext-fp32')
    parser.add_argument(
        '--subjects',
        nargs='+',
        choices=names,
        default=names,
        help='what to train, two at a time beside stock (default: all)',
    )
    parser.add_argument('--data-root', default='data/toy', help='folder that holds VOC2007/ (default: %(default)s)')
    parser.add_argument('--batch-size', type=int, default=24, help='images of a step (default: %(default)s)')
    parser.add_argument('--size', type=int, default=320, help='side of the input in pixels (default: %(default)s)')
    parser.add_argument('--workers', type=int, default=2, help='loader processes (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=3, help='turns of each (default: %(default)s)')
    parser.add_argument('--iterations', type=int, default=4, help='iterations timed in a turn (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print the numbers as one JSON object in the last line')
    return parser.parse_args()


def main() -> int:
    """Print the table, or say in one sentence what is wrong."""
    args = parse_args()
    from mobilenext_det.speed.commands import Settings, Subject
    from mobilenext_det.speed.training import compare_training

    settings = Settings(args.data_root, args.batch_size, args.size, args.workers)
    subjects = [Subject.parse(name) for name in args.subjects]
    compare_training(settings, subjects, args.rounds, args.iterations).show(args.json)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
