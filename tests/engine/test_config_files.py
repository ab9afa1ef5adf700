from pathlib import Path

import pytest

from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.config_files import ConfigFiles, leaves
from mobilenext_det.errors import UsageError

CONFIGS = Path(__file__).parents[2] / 'configs'
SHIPPED = sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
SETTINGS = dict(
    input_size=64,
    batch_size=7,
    max_iters=77,
    learning_rate=0.5,
    warmup_iters=5,
    val_interval=11,
    num_workers=3,
    classes=('a', 'b'),
)


def child(tmp_path, base, **settings):
    path = tmp_path / 'child.py'
    path.write_text('\n'.join([f"_base_ = '{base}'", *(f'{name} = {value!r}' for name, value in settings.items())]))
    return path


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_means_the_same_to_stock_tools(path):
    files = ConfigFiles(path)
    assert leaves(files.resolved({})) == leaves(files.plain)


@pytest.mark.parametrize('name', ['voc', 'toy', 'toy_long', 'bccd', 'voc0712_4xb24'])
def test_what_a_person_changes_acts_in_a_config_that_inherits(name, tmp_path):
    config = load_config(child(tmp_path, CONFIGS / f'ssdlite_mobilenext_{name}.py', **SETTINGS))
    train = config.train_dataloader
    assert config.model.bbox_head.anchor_generator.input_size == 64
    assert config.model.bbox_head.num_classes == 2
    for loader in (train, config.val_dataloader, config.test_dataloader):
        assert (loader.batch_size, loader.num_workers) == (7, 3)
        dataset = loader.dataset.datasets[0] if 'datasets' in loader.dataset else loader.dataset
        assert dataset.metainfo.classes == ('a', 'b')
        assert [step.scale for step in dataset.pipeline if step.type == 'Resize'] == [(64, 64)]
    assert (config.train_cfg.max_iters, config.train_cfg.val_interval) == (77, 11)
    assert config.optim_wrapper.optimizer.lr == 0.5
    assert config.param_scheduler[0].end == 5


def test_the_backbones_weights_are_one_of_these(tmp_path):
    config = load_config(child(tmp_path, CONFIGS / 'ssdlite_mobilenext_voc.py', pretrained='mine.pth'))
    assert config.model.backbone.init_cfg.checkpoint == 'mine.pth'


def test_a_chain_of_files_has_the_last_value_everywhere(tmp_path):
    for name, lines in dict(
        a='size = 1\ntwice = 2 * size\nmodel = dict(size=size, twice=twice)',
        b="_base_ = './a.py'\nsize = 2",
        c="_base_ = './b.py'\nsize = _base_.size * 5\ntrain_cfg = dict(size=size)",
    ).items():
        (tmp_path / f'{name}.py').write_text(lines)
    config = load_config(tmp_path / 'c.py')
    assert config.model == dict(size=10, twice=20)
    assert config.train_cfg == dict(size=10)
    assert load_config(tmp_path / 'c.py', ['size=3']).model == dict(size=3, twice=6)


@pytest.mark.parametrize('value', [(320, 192), [320, 192], None, 'a "quoted" name', -1, 1e-3, True])
def test_values_of_any_plain_kind_are_passed_on(tmp_path, value):
    (tmp_path / 'base.py').write_text('first, size = 1, 2\nmodel = dict(size=size)')
    assert load_config(child(tmp_path, './base.py', size=value)).model.size == value


def test_a_value_on_which_a_base_has_its_own_word_is_refused_with_the_key(tmp_path):
    (tmp_path / 'base.py').write_text('rate = 0.1\noptim_wrapper = dict(optimizer=dict(lr=rate))')
    (tmp_path / 'middle.py').write_text("_base_ = './base.py'\noptim_wrapper = dict(optimizer=dict(lr=0.2))")
    path = child(tmp_path, './middle.py', rate=0.3)
    with pytest.raises(
        UsageError, match=r'^rate = 0\.3 in \S+child\.py would change .* set optim_wrapper\.optimizer\.lr\.$'
    ):
        load_config(path)
    with pytest.raises(UsageError, match=r'rate=0.4 would change nothing: set optim_wrapper\.optimizer\.lr\.$'):
        load_config(tmp_path / 'middle.py', ['rate=0.4'])


def test_a_value_may_go_back_to_that_of_the_first_base(tmp_path):
    (tmp_path / 'base.py').write_text('interval = 100\ntrain_cfg = dict(val_interval=interval)')
    (tmp_path / 'middle.py').write_text("_base_ = './base.py'\ninterval = 54")
    assert load_config(tmp_path / 'middle.py').train_cfg.val_interval == 54
    assert load_config(tmp_path / 'middle.py', ['interval=100']).train_cfg.val_interval == 100
    assert load_config(child(tmp_path, './middle.py', interval=100)).train_cfg.val_interval == 100
    (tmp_path / 'middle.py').write_text("_base_ = './base.py'\ninterval = _base_.interval // 2")
    assert load_config(child(tmp_path, './middle.py', interval=100)).train_cfg.val_interval == 100


def test_what_changes_is_found_by_its_key(tmp_path):
    files = ConfigFiles(child(tmp_path, CONFIGS / 'ssdlite_mobilenext_voc.py', val_interval=3))
    assert files.changes('val_interval', 3) == ['train_cfg.val_interval']
    assert files.changes('val_interval', 4) == ['train_cfg.val_interval']
    assert list(files.without_effect()) == []


def test_a_value_that_repeats_its_base_s_is_no_mistake(tmp_path):
    (tmp_path / 'base.py').write_text('rate = 0.1\noptim_wrapper = dict(optimizer=dict(lr=rate))')
    (tmp_path / 'middle.py').write_text(
        "_base_ = './base.py'\nrate = 0.3\noptim_wrapper = dict(optimizer=dict(lr=rate))"
    )
    assert load_config(child(tmp_path, './middle.py', rate=0.3)).optim_wrapper.optimizer.lr == 0.3
    assert load_config(child(tmp_path, './middle.py', rate=0.4)).optim_wrapper.optimizer.lr == 0.4


@pytest.mark.parametrize(
    ('lines', 'sentence'),
    [
        ('size = (', r'child\.py, line 2: the config cannot be read, SyntaxError: .+ was never closed\.$'),
        ('size = 1 / 0', r'child\.py, line 2: the config cannot be read, ZeroDivisionError: division by zero\.$'),
        ('size = _base_.nothing', r"child\.py, line 2: .+ object has no attribute 'nothing'\.$"),
        ("custom_imports = dict(imports=['no_module'])", r'child\.py: the config .+ Failed to import custom modules'),
    ],
)
def test_a_config_that_cannot_be_run_is_named_with_its_line(tmp_path, lines, sentence):
    path = child(tmp_path, CONFIGS / 'ssdlite_mobilenext_voc.py')
    path.write_text(f'{path.read_text().strip()}\n{lines}\n')
    with pytest.raises(UsageError, match=sentence):
        load_config(path)


@pytest.mark.parametrize('base', ['./child.py', './nowhere.py'])
def test_a_base_that_is_missing_or_the_config_itself_is_named_with_who_inherits_it(tmp_path, base):
    with pytest.raises(UsageError, match=rf'{base[2:]}( inherits itself:.*|), inherited by \S+child\.py'):
        load_config(child(tmp_path, base))


def test_a_misspelt_setting_is_refused_and_a_name_of_one_s_own_is_not(tmp_path):
    base = CONFIGS / 'ssdlite_mobilenext_voc.py'
    with pytest.raises(UsageError, match=r'^learnig_rate = 0\.1 in \S+ would change nothing: learning_rate is what is'):
        load_config(child(tmp_path, base, learnig_rate=0.1))
    assert load_config(child(tmp_path, base, remark='of Tuesday')).remark == 'of Tuesday'
