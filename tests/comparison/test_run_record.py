"""Files of finished runs: they come back whole, say when they are not, and know what they come from."""

import json

import numpy as np
import pytest
from mmengine.config import Config

from mobilenext_det.comparison.run_record import identify, read_run, require_same, run_path, write_run
from mobilenext_det.errors import UsageError
from mobilenext_det.hardware import has_fast_bfloat16


def test_a_run_comes_back_as_it_was(run_of, tmp_path):
    run = run_of('small', 2, wrong=0.3)
    path = run_path(tmp_path, 'small', 2)
    assert path == tmp_path / 'runs' / 'small-seed2.json'
    write_run(path, run)
    again = read_run(path)
    assert again._replace(outcomes=None) == run._replace(outcomes=None)
    for before, after in zip(run.outcomes, again.outcomes, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ('damage', 'reason'),
    [
        (lambda text: text[:-500], 'JSONDecodeError'),
        (lambda text: text.replace('"format": 1', '"format": 0'), 'another format'),
        (lambda text: text.replace('"seed"', '"sead"'), 'sead'),
        (lambda text: text.replace('"hit": "', '"hit": "AAAA'), 'error'),
        (lambda text: json.dumps(json.loads(text) | {'outcomes': {}}), 'KeyError'),
        (lambda text: text.replace('"mAP_area": 0.', '"mAP_area": 0.1'), 'do not give its AP, area'),
        (lambda text: '[]', 'TypeError'),
    ],
)
def test_a_damaged_file_is_named(run_of, tmp_path, damage, reason):
    path = run_path(tmp_path, 'small', 0)
    write_run(path, run_of('small', 0, wrong=0.3))
    damaged = damage(path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged)
    with pytest.raises(UsageError, match=f'{path.name} is not a whole run .*{reason}.*; delete it and compare again'):
        read_run(path)


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
    assert identify(config(here, model=dict(width=0.5)), False, None)['config'] != identity['config']
    assert identify(config(here), True, None)['config'] != identity['config']
    (there / 'test.txt').write_text('d\nc\n')
    other = identify(config(there), False, None)
    assert [key for key in identity if identity[key] != other[key]] == ['test_images']
    checkpoints = [tmp_path / name for name in ('one.pth', 'two.pth')]
    for number, checkpoint in enumerate(checkpoints):
        checkpoint.write_bytes(bytes([number]))
    given = [identify(config(here), False, str(checkpoint)) for checkpoint in checkpoints]
    assert len({item['checkpoint'] for item in (identity, *given)}) == 3
    assert [item['train_images'] is None for item in (identity, *given)] == [False, True, True]


def test_the_weights_that_training_starts_from_count_if_they_are_there(tmp_path):
    def digest(**settings):
        return identify(Config(settings), False, None)['checkpoint']

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


def test_other_settings_are_named(run_of, tmp_path):
    run = run_of('small', 0)
    require_same(run, tmp_path, run.identity)
    with pytest.raises(UsageError, match='the config and the list of test images changed since; restore them, compare'):
        require_same(run, tmp_path, run.identity | {'config': 'new', 'test_images': 'new'})


def test_the_arithmetic_counts_and_what_else_makes_it_fast_does_not():
    def digest(amp=False, **settings):
        wrapper = dict(optim_wrapper=dict(type='AutocastOptimWrapper'), default_hooks=dict(acceleration=settings))
        return identify(Config(dict(wrapper)), amp, None)['config']

    assert digest() == digest(enabled=True)
    assert (digest() == digest(amp=True)) is has_fast_bfloat16('cpu')
    assert digest(enabled=False) != digest(amp=True)
