import pytest
from mmengine.config import Config

from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.settings_hook import SettingsHook
from mobilenext_det.errors import UsageError


class Run:
    """The part of a runner that the hook looks at."""

    def __init__(self, cfg):
        self.cfg = cfg


@pytest.fixture
def path(tmp_path):
    (tmp_path / 'base.py').write_text('rate = 0.1\noptim_wrapper = dict(optimizer=dict(lr=rate))')
    (tmp_path / 'child.py').write_text("_base_ = './base.py'\nrate = 0.2")
    return tmp_path / 'child.py'


def test_a_stock_tool_that_would_ignore_a_value_is_stopped(path):
    with pytest.raises(UsageError, match=r'^rate = 0\.2 of \S+child\.py .* set optim_wrapper\.optimizer\.lr, or use'):
        SettingsHook().before_run(Run(Config.fromfile(path)))


def test_its_options_too(path):
    config = Config.fromfile(path.with_name('base.py'))
    config.merge_from_dict({'rate': 0.3})
    with pytest.raises(UsageError, match=r'rate = 0\.3 of .* set optim_wrapper\.optimizer\.lr'):
        SettingsHook().before_run(Run(config))


def test_a_run_in_which_the_value_acts_goes_on(path):
    SettingsHook().before_run(Run(load_config(path)))
    stock = Config.fromfile(path)
    stock.merge_from_dict({'optim_wrapper.optimizer.lr': 0.2})
    SettingsHook().before_run(Run(stock))
    SettingsHook().before_run(Run(Config(dict(rate=1))))
