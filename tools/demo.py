"""Train, evaluate and draw MobileNeXt-SSDLite on synthetic scenes in a few minutes on two CPU cores: make demo."""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def main() -> int:
    """Run the demo and print where its results are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data-root', default='data/toy', help='folder for the synthetic set (default: %(default)s)')
    parser.add_argument('--work-dir', default='work_dirs/demo', help='folder for the results (default: %(default)s)')
    args = parser.parse_args()
    from mobilenext_det.demo import run_demo

    run_demo(args.data_root, args.work_dir)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
