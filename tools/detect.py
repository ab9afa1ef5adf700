"""Detect objects in images, videos and streams: python tools/detect.py INPUT... --out DIR."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Detect objects in images, videos and streams, and draw them.')
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='[CONFIG CHECKPOINT] INPUT',
        help='config (.py) and checkpoint, unless --run names them or the detector of VOC classes that comes along '
        'will do; images, videos, folders, addresses, camera numbers',
    )
    parser.add_argument('--run', metavar='DIR', help='work dir of a training: its config and its best checkpoint')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for pictures, videos and JSON files')
    parser.add_argument('--score-thr', type=float, default=0.3, help='lowest score to report (default: %(default)s)')
    parser.add_argument('--device', default='cpu', help="where to compute, such as 'cuda:0' (default: %(default)s)")
    parser.add_argument('--json', action='store_true', help='print all detections as one JSON list')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='settings to change')
    args = parser.parse_args()
    if _names_config(args) and len(args.inputs) < 3:
        parser.error('a config is followed by its checkpoint and an input')
    return args


def _names_config(args: argparse.Namespace) -> bool:
    return not args.run and args.inputs[0].endswith('.py')


def _files(run: str | None) -> tuple[Path, Path]:
    """Return the config and checkpoint of a training, or of the detector that comes along."""
    from mobilenext_det.engine.run_files import run_files, shipped_files

    return run_files(run) if run else shipped_files()


def main() -> int:
    """Detect, say what could not be read, and return 0 if everything could."""
    args = parse_args()
    from mobilenext_det.engine.config import load_config
    from mobilenext_det.hardware import keep_freed_memory
    from mobilenext_det.inference.detect import detect
    from mobilenext_det.inference.detector import Detector

    keep_freed_memory()
    config, checkpoint, *inputs = args.inputs if _names_config(args) else [*_files(args.run), *args.inputs]
    detector = Detector(load_config(config, args.cfg_options), checkpoint, args.device)
    results, failures = detect(detector, inputs, args.out, args.score_thr)
    print(*failures, sep='\n', end='\n' if failures else '', file=sys.stderr)
    if args.json:
        print(json.dumps(results))
    else:
        print(f'{len(results)} of {len(results) + len(failures)} inputs were read; results are in {args.out}.')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
