"""Export a trained detector to one file: python tools/export.py [CONFIG CHECKPOINT] --out DIR [--quantize int8]."""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Write a detector as one file, and check that it detects the same.')
    parser.add_argument('config', nargs='?', help='config file; without it, the detector that comes along')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for the file, and for what runs it')
    parser.add_argument('--format', default='onnx', help='onnx, torchscript or executorch (default: %(default)s)')
    parser.add_argument('--quantize', choices=['int8'], help='compute in 8 bits, calibrated on training pictures')
    parser.add_argument('--calibration', metavar='DIR', help="folder of training pictures, instead of the config's")
    parser.add_argument('--data-root', help='folder that holds the data, instead of the one in the config')
    parser.add_argument('--no-nms', action='store_false', dest='nms', help='leave suppression to the program')
    parser.add_argument('--opset', type=int, help="version of ONNX's operators, 11 to 23 (default: 20)")
    parser.add_argument('--batch', type=int, help='pictures that an ONNX file takes at a time (default: any number)')
    parser.add_argument('--float-input', action='store_true', help='take float32 NCHW, 0 to 255, not uint8 NHWC')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='settings to change')
    args = parser.parse_args()
    if args.config and not args.checkpoint:
        parser.error('a config is followed by its checkpoint')
    return args


def main() -> int:
    """Write the file, and say how it compares with the checkpoint."""
    args = parse_args()
    from mobilenext_det.deploy.export import export
    from mobilenext_det.engine.config import load_config
    from mobilenext_det.engine.run_files import shipped_files

    config, checkpoint = (args.config, args.checkpoint) if args.config else shipped_files()
    path, runtime, agreement = export(
        load_config(config, args.cfg_options, args.data_root),
        checkpoint,
        args.out,
        form=args.format,
        int8=args.quantize == 'int8',
        calibration=args.calibration,
        nms=args.nms,
        float_input=args.float_input,
        opset=args.opset,
        batch=args.batch,
    )
    print(f'{path}: {path.stat().st_size / 1e6:.2f} MB')
    if runtime is not None:
        print(f'{runtime} runs it: python {runtime.name} {path.name} PICTURE')
    print(agreement)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
