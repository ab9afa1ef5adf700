"""Plot the loss and a validation score of runs, and keep their curves as small JSON files.

python tools/analysis/curves.py work_dirs/RUN work_dirs/OTHER_RUN --score top1 --out curves
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', type=Path, metavar='RUN', help='work dir of a run, or NAME.json made of one')
    parser.add_argument('--score', default='mAP_11points', help='validation score to plot (default: %(default)s)')
    parser.add_argument('--out', required=True, type=Path, help='folder for NAME.json of each run, and curves.png')
    return parser.parse_args()


def main() -> int:
    """Read, plot and print the last scores, or say in one sentence what is missing."""
    args = parse_args()
    from mobilenext_det.analysis.curves import curves

    curves(args.runs, args.score, args.out)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
