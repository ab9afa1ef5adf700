"""Digests of what a run comes from: the same on every machine, and others for all that changes a result."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config

from mobilenext_det.comparison.identity import digest_config, identify
from mobilenext_det.engine.config import load_config
from mobilenext_det.hardware import has_fast_bfloat16

ROOT = Path(__file__).parents[2]
RECORDED = sorted(ROOT.glob('docs/comparison/*/runs/*-seed0.json'))


@pytest.mark.parametrize('path', RECORDED, ids=lambda path: path.stem)
def test_recorded_runs_are_those_of_the_configs_of_today(path):
    """So that a comparison can be extended: whatever a config is written like, it is the same run."""
    run = json.loads(path.read_text())
    config = load_config(ROOT / 'configs' / 'compare' / f'{run["config"]}.py')
    arithmetic = 'float32' if run['config'].endswith('fp32') else 'bfloat16'
    assert digest_config(config, arithmetic) == run['identity']['config']


def write_lists(folder, **lists):
    folder.mkdir()
    for name, text in lists.items():
        (folder / f'{name}.txt').write_text(text)


def config(folder, workers=2, seed=0, **changes):
    def loader(name):
        dataset = dict(type='CheckedVOCDataset', data_root=str(folder), ann_file=f'{name}.txt')
        return dict(num_workers=workers, persistent_workers=workers > 0, dataset=dict(type='Wrapper', dataset=dataset))

    parts = dict(train_dataloader=loader('train'), test_dataloader=loader('test'), randomness=dict(seed=seed))
    return Config(dict(data_root=str(folder), model=dict(width=1.0), work_dir='x') | parts | changes)


def test_a_run_is_the_same_on_every_machine_and_no_other(tmp_path):
    here, there = tmp_path / 'here', tmp_path / 'there'
    write_lists(here, train='a\nb\n', test='c\nd\n')
    write_lists(there, train='a\r\nb', test='c\nd\n')
    identity = identify(config(here), False, None)
    assert identity == identify(config(there, workers=0, seed=1, work_dir='y'), False, None)
    assert identify(config(here, model=dict(width=0.5)), False, None).config != identity.config
    assert identify(config(here, size=192), False, None) == identity  # which the runner does not read
    assert identify(config(here), True, None).config != identity.config
    (there / 'test.txt').write_text('d\nc\n')
    other = identify(config(there), False, None)
    assert [name for name, digest in vars(identity).items() if digest != getattr(other, name)] == ['test_images']
    checkpoints = [tmp_path / name for name in ('one.pth', 'two.pth')]
    for number, checkpoint in enumerate(checkpoints):
        checkpoint.write_bytes(bytes([number]))
    given = [identify(config(here), False, str(checkpoint)) for checkpoint in checkpoints]
    assert len({item.checkpoint for item in (identity, *given)}) == 3
    assert [item.train_images is None for item in (identity, *given)] == [False, True, True]


def test_the_weights_that_training_starts_from_count_if_they_are_there(tmp_path):
    def digest(**settings):
        return identify(Config(settings), False, None).checkpoint

    path = tmp_path / 'weights.pth'
    starts = (dict(model=dict(backbone=dict(init_cfg=[dict(checkpoint=str(path))]))), dict(load_from=str(path)))
    assert [digest(**start) for start in starts] == [None, None]
    digests = set()
    for content in (b'one', b'two'):
        path.write_bytes(content)
        digests |= {digest(**start) for start in starts}
    assert len(digests) == 2
    assert None not in digests
    assert digest(default_hooks=dict(checkpoint=dict(interval=2)), load_from=None) is None


def test_the_arithmetic_counts_and_what_else_makes_it_fast_does_not():
    def digest(amp=False, **settings):
        wrapper = dict(optim_wrapper=dict(type='AutocastOptimWrapper'), default_hooks=dict(acceleration=settings))
        return identify(Config(dict(wrapper)), amp, None).config

    assert digest() == digest(enabled=True)
    assert (digest() == digest(amp=True)) is has_fast_bfloat16('cpu')
    assert digest(enabled=False) != digest(amp=True)
