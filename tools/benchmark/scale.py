"""Measure how training scales: python tools/benchmark/scale.py --out work_dirs/scale --data-root data/toy.

Speed and memory over batch size, input size, width, loader workers and processes, as a table and a plot.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Measure how the training of MobileNeXt scales.')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for scale.json, scale.md and scale.png')
    parser.add_argument('--data-root', default='data/toy', help='folder that holds VOC2007/ (default: %(default)s)')
    parser.add_argument('--iterations', type=int, default=4, help='iterations timed at a point (default: %(default)s)')
    for name, kind, values, meaning in (
        ('--batch-sizes', int, (4, 8, 16, 24, 48), 'images of a step'),
        ('--sizes', int, (192, 256, 320, 512), 'sides of the input in pixels'),
        ('--widths', float, (0.35, 0.5, 1.0, 1.4), 'width multipliers'),
        ('--workers', int, (0, 1, 2, 4), 'loader processes'),
        ('--processes', int, (1, 2), 'training processes'),
    ):
        shown = ' '.join(map(str, values))
        parser.add_argument(name, type=kind, nargs='*', default=values, help=f'{meaning} (default: {shown})')
    parser.add_argument('--json', action='store_true', help='print the numbers as one JSON object in the last line')
    return parser.parse_args()


def main() -> int:
    """Print the table, or say in one sentence what is wrong."""
    args = parse_args()
    from mobilenext_det.speed.scale import measure_scale

    curves = dict(
        batch_size=args.batch_sizes,
        size=args.sizes,
        width=args.widths,
        workers=args.workers,
        processes=args.processes,
    )
    measure_scale(curves, args.out, args.data_root, args.iterations).show(args.json)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
