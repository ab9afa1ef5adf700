"""Search for a network's cells: python tools/search.py configs/search/sandglass_cifar10.py --out DIR.

A search that was stopped goes on where it was, to the same genotype. DIR gets genotype.json, what was found after every
epoch (epochs/), a picture of both cells (cells.png) and the share of each operation over time (shares.png).
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Search for a network's cells.")
    parser.add_argument('config', help='config file of a search, such as those in configs/search')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the search')
    parser.add_argument('--seed', type=int, help="the seed, in the place of the config's")
    parser.add_argument('--data-root', help='folder that holds the data, instead of the one in the config')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='settings to change in the config, such as train_cfg.max_iters=1000',
    )
    return parser.parse_args()


def main() -> int:
    """Search, or say in one sentence what is missing."""
    args = parse_args()
    from mobilenext_det.engine.config import load_config
    from mobilenext_det.search.cost import cost
    from mobilenext_det.search.run import search

    seed = [] if args.seed is None else [f'randomness.seed={args.seed}']
    config = load_config(args.config, [*args.cfg_options, *seed], args.data_root)
    genotype = search(config, args.out)
    network = config.derived
    count = cost(genotype, **network, num_classes=config.model.num_classes)
    print(f'{args.out}/genotype.json: {genotype.summary()}')
    print(
        f'With {network.cells} cells of {network.channels} channels it has {count.params:,} parameters, and '
        f'{count.madds:,} multiply-adds at {network.image_size} pixels.'
    )
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
