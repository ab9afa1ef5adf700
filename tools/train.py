"""Train a detector: python tools/train.py configs/ssdlite_mobilenext_voc.py."""

from __future__ import annotations

import argparse
import os
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line, whose arguments are those of MMDetection's tools/train.py and --data-root."""
    parser = argparse.ArgumentParser(description='Train a detector.')
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/NAME_OF_CONFIG)')
    parser.add_argument('--data-root', help='folder that holds the data, instead of the one in the config')
    parser.add_argument('--amp', action='store_true', help='lower precision: faster, also on CPUs with bfloat16')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the batch size')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue a run from this checkpoint, or without a name from the last one in the work dir',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help="settings to change in the config, such as train_cfg.max_iters=1000 or key='[a,b]'",
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by torch.distributed.launch')
    return parser.parse_args()


def main() -> int:
    """Train, or say in one sentence what is missing."""
    args = vars(parse_args())
    os.environ.setdefault('LOCAL_RANK', str(args.pop('local_rank')))
    from mobilenext_det.engine.config import load_config
    from mobilenext_det.engine.train import train

    config = load_config(args.pop('config'), args.pop('cfg_options'), args.pop('data_root'))
    train(config, **args)
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
