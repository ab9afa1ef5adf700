"""What a comparison consists of, and what it refuses before it trains anything."""

from dataclasses import replace
from pathlib import Path

import pytest

from mobilenext_det.comparison.identity import identify
from mobilenext_det.comparison.plan import plan
from mobilenext_det.comparison.run_record import run_path, write_run
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import UsageError

CONFIGS = [str(Path(__file__).parents[2] / 'configs' / f'ssdlite_mobilenext_{name}.py') for name in ('voc', 'w050_voc')]


@pytest.fixture
def data_root(tmp_path):
    """Lists of images, which are all that is looked at before a run starts."""
    lists = tmp_path / 'data' / 'VOC2007' / 'ImageSets' / 'Main'
    lists.mkdir(parents=True)
    for name in ('trainval', 'test'):
        (lists / f'{name}.txt').write_text('000001\n')
    return str(tmp_path / 'data')


def test_the_first_seeds_come_first(data_root, tmp_path):
    checkpoints = [tmp_path / name for name in ('a.pth', 'b.pth')]
    for checkpoint in checkpoints:
        checkpoint.write_bytes(b'')
    given = f'{CONFIGS[1]}={checkpoints[0]},{checkpoints[1]}'
    jobs = plan([CONFIGS[0], given], str(tmp_path), 3, data_root)
    short, long = 'ssdlite_mobilenext_voc', 'ssdlite_mobilenext_w050_voc'
    assert [(job.name, job.seed) for job in jobs] == [(short, 0), (long, 0), (short, 1), (long, 1), (short, 2)]
    assert [job.checkpoint for job in jobs] == [None, str(checkpoints[0]), None, str(checkpoints[1]), None]


@pytest.mark.parametrize(
    ('configs', 'options', 'sentence'),
    [
        (CONFIGS[:1], {}, 'needs two configs or more, but got ssdlite_mobilenext_voc.'),
        ([], {}, 'needs two configs or more, but got none.'),
        ([CONFIGS[0], CONFIGS[0]], {}, 'ssdlite_mobilenext_voc is there twice: give every config once'),
        ([CONFIGS[0], f'{CONFIGS[1]}=no.pth'], {}, 'There is no checkpoint no.pth.'),
        ([CONFIGS[0], 'no.py'], {}, 'There is no config no.py.'),
        (CONFIGS, {'seeds': 0}, '--seeds 0 trains nothing'),
        (CONFIGS, {'cfg_options': ['randomness.seed=4']}, '--cfg-options randomness.seed=4 would be the same in all'),
    ],
)
def test_what_cannot_be_is_refused(data_root, tmp_path, configs, options, sentence):
    with pytest.raises(UsageError, match=sentence):
        plan(configs, str(tmp_path), **{'seeds': 1, 'data_root': data_root, **options})


def test_missing_data_is_named(data_root, tmp_path):
    with pytest.raises(UsageError, match='There is no .*/ImageSets/Main/test.txt'):
        plan(CONFIGS, str(tmp_path), 1, str(tmp_path))


def test_runs_of_another_config_are_never_mixed_in(data_root, tmp_path, run_of):
    run = run_of('ssdlite_mobilenext_voc', 0)
    stored = replace(run, identity=identify(load_config(CONFIGS[0], (), data_root), False, None))
    write_run(run_path(tmp_path, run.config, run.seed), stored)
    assert len(plan(CONFIGS, str(tmp_path), 1, data_root)) == 2
    with pytest.raises(
        UsageError, match='seed0.json comes from other settings than those of today: the config changed'
    ):
        plan(CONFIGS, str(tmp_path), 1, data_root, cfg_options=['train_cfg.max_iters=7'])
