import copy

import pytest

from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.evaluate import evaluate
from mobilenext_det.engine.train import train
from mobilenext_det.errors import UsageError

CONFIG = """
train_dataloader = dict(dataset=dict(ann_file='{folder}/list.txt'))
test_dataloader = dict(dataset=dict(ann_file='{folder}/list.txt'))
optim_wrapper = dict(type='OptimWrapper')
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / 'list.txt').touch()
    (tmp_path / 'last.pth').touch()
    (tmp_path / 'config.py').write_text(CONFIG.format(folder=tmp_path))
    return load_config(tmp_path / 'config.py')


def test_scaling_the_rate_needs_the_batch_it_is_for(config):
    with pytest.raises(UsageError, match=r'--auto-scale-lr needs auto_scale_lr = dict\(base_batch_size=\.\.\.\) in '):
        train(config, auto_scale_lr=True)


def test_resuming_from_a_missing_file_is_refused(config, tmp_path):
    with pytest.raises(UsageError, match=r'There is no checkpoint nowhere\.pth\.'):
        train(config, resume='nowhere.pth')
    (tmp_path / 'last_checkpoint').write_text(f'{tmp_path}/moved.pth')
    with pytest.raises(UsageError, match=f'There is no checkpoint {tmp_path}/moved.pth'):
        train(config, resume='auto', work_dir=tmp_path)


def test_with_nothing_to_resume_from_the_configs_weights_are_loaded(config, tmp_path):
    with pytest.raises(UsageError, match=r'There is no checkpoint pretrained\.pth\.'):
        train(load_config(config.filename, ['load_from=pretrained.pth']), resume='auto', work_dir=tmp_path)


def test_starting_from_a_missing_file_is_refused(config):
    with pytest.raises(UsageError, match=r'There is no checkpoint nowhere\.pth\.'):
        train(load_config(config.filename, ['load_from=nowhere.pth']))


def test_predictions_are_written_to_a_pickle_file_only(config, tmp_path):
    with pytest.raises(UsageError, match=r'found\.json must end in \.pkl or \.pickle'):
        evaluate(config, tmp_path / 'last.pth', out='found.json')
    with pytest.raises(UsageError, match=r'There is no checkpoint nowhere\.pth\.'):
        evaluate(config, 'nowhere.pth')


def test_a_run_leaves_its_config_as_it_is(config):
    before = copy.deepcopy(config.to_dict())
    with pytest.raises(UsageError, match='There is no checkpoint'):
        train(config, amp=True, resume='nowhere.pth', work_dir='there')
    with pytest.raises(UsageError, match='There is no checkpoint'):
        evaluate(config, 'nowhere.pth', work_dir='there')
    assert config.to_dict() == before
