from mmengine.config import Config

from mobilenext_det.engine.launch import prepare_launch

# Two processes without a GPU: tests/tools/test_train.py.


def test_one_process_is_left_as_it_is():
    config = Config(dict(sync_bn='torch'))
    prepare_launch(config)
    assert config.to_dict() == dict(sync_bn='torch')
