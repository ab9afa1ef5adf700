"""Evaluate a checkpoint or an exported file: python tools/test.py configs/ssdlite_mobilenext_voc.py CHECKPOINT."""

from __future__ import annotations

import argparse
import os
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line, whose arguments are those of MMDetection's tools/test.py and --data-root."""
    parser = argparse.ArgumentParser(description='Evaluate a checkpoint.')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file, or file that tools/export.py wrote')
    parser.add_argument('--work-dir', help='folder for the scores (default: work_dirs/NAME_OF_CONFIG)')
    parser.add_argument('--data-root', help='folder that holds the data, instead of the one in the config')
    parser.add_argument('--out', help='file for the predictions, ending in .pkl')
    parser.add_argument('--report', metavar='DIR', help='folder for a page that shows how good the detections are')
    parser.add_argument('--tta', action='store_true', help='detect in every image and its mirror image, and merge')
    parser.add_argument('--show', action='store_true', help='show each image with its detections')
    parser.add_argument('--show-dir', help="folder for images with detections, below the run's own in the work dir")
    parser.add_argument('--wait-time', type=float, default=2, help='seconds to show an image (default: %(default)s)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help="settings to change in the config, such as test_dataloader.batch_size=1 or key='[a,b]'",
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by torch.distributed.launch')
    return parser.parse_args()


def main() -> int:
    """Evaluate, or say in one sentence what is missing."""
    args = vars(parse_args())
    os.environ.setdefault('LOCAL_RANK', str(args.pop('local_rank')))
    from mobilenext_det.deploy.evaluate import evaluate_exported
    from mobilenext_det.deploy.formats import is_exported
    from mobilenext_det.engine.config import load_config
    from mobilenext_det.engine.evaluate import evaluate

    config = load_config(args.pop('config'), args.pop('cfg_options'), args.pop('data_root'))
    checkpoint = args.pop('checkpoint')
    run = evaluate_exported if is_exported(checkpoint) else evaluate
    run(config, checkpoint, **args)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
