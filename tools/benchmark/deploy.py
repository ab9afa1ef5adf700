"""Benchmark what ships: python tools/benchmark/deploy.py CONFIG=CHECKPOINT ... --out DIR.

One row for each network, form (PyTorch, ONNX Runtime, TorchScript, ExecuTorch) and precision: size of the file, mAP,
latency with one and two threads, memory. A table that is in DIR already is extended.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Size, mAP, latency and memory of detectors in every form that ships.')
    parser.add_argument('networks', nargs='+', metavar='CONFIG=CHECKPOINT', help='config file and trained weights')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for the table, deploy.md and deploy.json')
    parser.add_argument('--data-root', help='folder that holds the data, instead of the one in the configs')
    parser.add_argument('--forms', nargs='+', help='what to export to: onnx, torchscript, executorch (default: all)')
    precisions = ('fp32', 'int8')
    parser.add_argument(
        '--precisions', nargs='+', choices=precisions, default=precisions, help='numbers to compute in (default: both)'
    )
    parser.add_argument('--images', type=int, default=100, help='pictures to time (default: %(default)s)')
    parser.add_argument(
        '--stock', action='store_true', help="time MMDetection's own SSDLite, too, and compare the others with it"
    )
    parser.add_argument('--no-map', dest='evaluate', action='store_false', help='do not compute mAP on the test set')
    parser.add_argument('--json', action='store_true', help='print the numbers as one JSON object in the last line')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='settings to change in all configs'
    )
    return parser.parse_args()


def main() -> int:
    """Print the table, or say in one sentence what is missing."""
    args = vars(parse_args())
    from mobilenext_det.speed.deployment import benchmark

    as_json = args.pop('json')
    benchmark(args.pop('networks'), args.pop('out'), **args).show(as_json)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
