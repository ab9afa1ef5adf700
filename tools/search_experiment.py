"""Search over several seeds and retrain what is found: python tools/search_experiment.py CONFIG ... --out DIR.

Every search config is searched with seeds 0, 1, ..., each genotype trained with its seed by the config of --retrain,
and tested. DIR/records gets one JSON file of each; what has its file is not done again, what was stopped goes on.
At the end the means over the seeds are printed as a table.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Search over several seeds and retrain what is found.')
    parser.add_argument('configs', nargs='+', metavar='CONFIG', help='config file of a search')
    parser.add_argument('--retrain', required=True, metavar='CONFIG', help='config file of the retraining')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the experiment')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2], help='the seeds (default: 0 1 2)')
    parser.add_argument('--data-root', help='folder that holds the data, instead of the one in the configs')
    return parser.parse_args()


def main() -> int:
    """Run the experiment, or say in one sentence what is missing."""
    args = vars(parse_args())
    from mobilenext_det.search.experiment import experiment

    print(experiment(**args).markdown())
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
