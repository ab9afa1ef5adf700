"""Count parameters and multiply-adds (MAdds) of detectors, as exact integers.

python tools/analysis/complexity.py configs/ssdlite_mobilenext_voc.py            # by part and by layer
python tools/analysis/complexity.py configs/ssdlite_*_voc.py                     # one row a config
python tools/analysis/complexity.py --paper                                      # widths beside the paper's table
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='*', metavar='CONFIG', help='config file of any MMDetection detector')
    parser.add_argument('--size', type=int, help="side of the square input, instead of the config's own")
    parser.add_argument('--json', action='store_true', help='print JSON: the parts, by config if there are several')
    parser.add_argument('--paper', action='store_true', help="all widths of the backbones beside the paper's table")
    args = parser.parse_args()
    if args.paper == bool(args.configs) or (args.paper and (args.size or args.json)):
        parser.error('give either configs or --paper, which has its own sizes and prints a table')
    return args


def main() -> int:
    """Count and print, or say in one sentence what is missing."""
    args = parse_args()
    from mobilenext_det.analysis.complexity import complexity
    from mobilenext_det.analysis.complexity_tables import complexity_json, complexity_table, paper_table
    from mobilenext_det.engine.config import load_config

    if args.paper:
        print(paper_table())
    else:
        networks = {config: complexity(load_config(config), args.size) for config in args.configs}
        print(complexity_json(networks) if args.json else complexity_table(networks))
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
