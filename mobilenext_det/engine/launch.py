"""Training in several processes without a GPU."""

from __future__ import annotations

import torch
from mmengine.config import Config
from mmengine.logging import print_log


def prepare_launch(config: Config) -> None:
    """Let several processes train on the CPU, where mmengine asks for a GPU in each; with a GPU change nothing.

    The processes talk over gloo, the model is wrapped without a device, and synchronised batch norm, which exists for
    GPUs only, is left out.

    Args:
        config: The config; its ``launcher`` says whether there are several processes.
    """
    if config.get('launcher', 'none') == 'none' or torch.cuda.is_available():
        return
    if config.pop('sync_bn', None):
        print_log('Without a GPU batch norm is not synchronised: sync_bn is left out.', logger='current', level=30)
    torch.distributed.init_process_group('gloo')
    config.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=config.get('find_unused_parameters', False),
    )
