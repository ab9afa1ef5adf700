"""Measure which part of a network loses how much in int8.

python tools/analysis/quantization.py CONFIG=CHECKPOINT ... --out work_dirs/quantization.json --data-root data/toy
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('networks', nargs='+', metavar='CONFIG=CHECKPOINT', help='a config and its weights')
    parser.add_argument('--out', required=True, metavar='FILE', help='JSON file for the numbers')
    parser.add_argument('--images', type=int, default=32, help='pictures to calibrate with, and as many to compare on')
    parser.add_argument('--data-root', help="folder that holds the data, instead of the configs' own")
    args = parser.parse_args()
    if any('=' not in network for network in args.networks):
        parser.error('every network is CONFIG=CHECKPOINT: int8 of untrained weights says nothing')
    return args


def main() -> int:
    """Measure and print a table, or say in one sentence what is missing."""
    args = parse_args()
    from mobilenext_det.deploy.quantization_loss import quantization_losses, write
    from mobilenext_det.engine.config import load_config

    pairs = [network.split('=', 1) for network in args.networks]
    networks = [(load_config(config, data_root=args.data_root), checkpoint) for config, checkpoint in pairs]
    print(write(quantization_losses(networks, args.images), Path(args.out)))
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
