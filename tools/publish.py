"""Make a small checkpoint to give away: python tools/publish.py work_dirs/run/iter_72000.pth model.pth."""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Keep the weights, in half precision, and the class names.')
    parser.add_argument('checkpoint', help='checkpoint that training wrote')
    parser.add_argument('out', help='file to write; the first digits of its SHA-256 are added to the name')
    parser.add_argument(
        '--backbone',
        metavar='PREFIX',
        help="keep a backbone alone, whose weights' names begin so, for detectors to start from: 'backbone.', or "
        "'students.NAME.backbone.' of students taught side by side",
    )
    return parser.parse_args()


def main() -> int:
    """Write the file and say what it is."""
    args = parse_args()
    from mobilenext_det.checkpoints.publish import publish

    path = publish(args.checkpoint, args.out, args.backbone)
    print(f'{path}: {path.stat().st_size / 1e6:.2f} MB')
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
