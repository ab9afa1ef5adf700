"""Export a trained detector to one file: python tools/export.py CONFIG CHECKPOINT --out DIR [--quantize int8]."""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Write a detector as one file, and check that it finds the same.')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for the file, and for what runs it')
    parser.add_argument('--format', choices=['onnx', 'torchscript', 'executorch'], default='onnx', dest='form')
    parser.add_argument('--quantize', choices=['int8'], help='compute in 8 bits, calibrated on training pictures')
    parser.add_argument('--calibration', metavar='DIR', help="folder of training pictures, instead of the config's")
    parser.add_argument('--data-root', help='folder that holds the data, instead of the one in the config')
    parser.add_argument('--no-nms', action='store_false', dest='nms', help='leave suppression to the program')
    parser.add_argument('--opset', type=int, default=20, help="version of ONNX's operators (default: %(default)s)")
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='settings to change')
    return parser.parse_args()


def main() -> int:
    """Write the file, say how it compares with the checkpoint, and return 0 unless an fp32 file differs."""
    args = vars(parse_args())
    from mobilenext_det.deploy.command import export_and_check

    return export_and_check(**args)


if __name__ == '__main__':
    sys.exit(exit_code(main))
