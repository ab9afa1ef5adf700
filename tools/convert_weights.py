"""Convert weights from elsewhere: python tools/convert_weights.py SOURCE OUT."""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Give the weights of another project's file the names used here.")
    parser.add_argument('source', help='file with the weights')
    parser.add_argument('out', help='checkpoint to write')
    parser.add_argument(
        '--kind',
        choices=['auto', 'mobilenext-official', 'mobilenext-ssdlite-official', 'torchvision', 'mmpretrain', 'paddle'],
        default='auto',
        help='what the source is (default: found out from the names in it)',
    )
    return parser.parse_args()


def main() -> int:
    """Convert, or say in one sentence why not."""
    args = vars(parse_args())
    from mobilenext_det.convert import convert_weights

    convert_weights(**args)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
