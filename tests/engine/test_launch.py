import socket
import subprocess
import sys

from mmengine.config import Config

from mobilenext_det.engine.launch import prepare_launch

ONE_OF_ONE = """
import torch
from mmengine.config import Config
from mmengine.dist import get_backend, get_world_size
from mobilenext_det.engine.launch import prepare_launch
config = Config(dict(launcher='pytorch', sync_bn='torch', find_unused_parameters=True))
prepare_launch(config)
assert get_backend() == 'gloo' and get_world_size() == 1
assert 'sync_bn' not in config
assert config.model_wrapper_cfg == dict(
    type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False, find_unused_parameters=True
)
"""


def test_one_process_is_left_as_it_is():
    config = Config(dict(sync_bn='torch'))
    prepare_launch(config)
    assert config.to_dict() == dict(sync_bn='torch')


def test_processes_without_a_gpu_talk_over_gloo():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    variables = dict(RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1', MASTER_PORT=port, CUDA_VISIBLE_DEVICES='')
    result = subprocess.run([sys.executable, '-c', ONE_OF_ONE], env=variables, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
