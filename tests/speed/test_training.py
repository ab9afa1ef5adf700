"""Runs are followed through what mmengine writes, and what is said about measured seconds; the tool's test measures."""

import json
import sys
from contextlib import closing

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.commands import Settings, Subject
from mobilenext_det.speed.processes import Memory
from mobilenext_det.speed.training import (
    Measured,
    TrainingRun,
    compare_training,
    iteration_seconds,
    measure,
    report,
    start_up,
)

SETTINGS = Settings(batch_size=24)


def measured(*seconds):
    return Measured(list(seconds), Memory(1000.0, 500.0))


def test_each_group_is_compared_with_its_own_stock():
    stock, v2, next_, next_fp32 = map(Subject.parse, ('stock', 'mobilenetv2', 'mobilenext', 'mobilenext-fp32'))
    groups = [
        {stock: measured(4, 6, 5), v2: measured(1, 1, 2), next_: measured(2, 2, 9)},
        {stock: measured(6, 6, 6), next_fp32: measured(3, 3, 3)},
    ]
    found = report(groups, SETTINGS, 1, 'here')
    assert [Subject(row.network, row.precision) for row in found.rows] == [stock, v2, next_, stock, next_fp32]
    assert [row.images_per_second for row in found.rows] == pytest.approx([4.8, 24, 12, 4, 8])
    assert [row.ratio for row in found.rows] == pytest.approx([1, 5, 2.5, 1, 2])
    assert found.rows[0].quartiles == pytest.approx((4.4, 5.4))
    assert (found.ours, found.stock, found.ratio) == pytest.approx((12, 4.8, 2.5))
    lines = [line for line in found.text.splitlines() if line.startswith('|')]
    assert len(lines) == 2 + 5
    assert '24 images a step, 320x320, 2 workers' in found.text and 'Machine: here.' in found.text


def test_without_mobilenext_the_first_is_the_headline():
    found = report([{Subject('stock'): measured(4), Subject('mobilenetv2', 'fp32'): measured(2)}], SETTINGS, 1, 'here')
    assert found.ratio == 2


@pytest.mark.parametrize('option', ['rounds', 'iterations'])
def test_nothing_to_measure_is_refused(option, toy_root):
    with pytest.raises(UsageError, match=f'^--{option} 0 is too small: take 1 or more.$'):
        compare_training(Settings(toy_root), **{option: 0})


LINES = [
    {'lr': 0.001, 'data_time': 0.5, 'loss': 13.5, 'loss_cls': 10.2, 'time': 1.25, 'iter': 1, 'step': 1},
    {'lr': 0.001, 'data_time': 0.1, 'loss': 12.5, 'loss_cls': 9.2, 'time': 0.75, 'iter': 2, 'step': 2},
    {'voc/mAP_11points': 0.1, 'data_time': 0.01, 'time': 0.2, 'step': 2},
]
# Logs an iteration every 20 ms, as mmengine does.
LOGGING = """
import json, os, sys, time
work_dir = sys.argv[sys.argv.index('--work-dir') + 1]
with open(work_dir + '/pid', 'w') as file:
    file.write(str(os.getpid()))
folder = work_dir + '/20260101_000000/vis_data'
os.makedirs(folder)
for step in range(1, int(sys.argv[1]) + 1):
    time.sleep(0.02)
    with open(folder + '/scalars.json', 'a') as file:
        file.write(json.dumps(dict(loss=1.0, time=float(step), step=step)) + '\\n')
sys.exit('no more images')
"""


@pytest.fixture
def scalars(tmp_path):
    path = tmp_path / 'scalars.json'
    path.write_text(''.join(f'{json.dumps(line)}\n' for line in LINES))
    return path


def test_validation_is_no_iteration(scalars):
    assert iteration_seconds(scalars) == [1.25, 0.75]


def test_a_line_in_the_making_is_left_for_later(scalars):
    whole = scalars.read_text()
    scalars.write_text(f'{whole}{{"loss": 1.0, "ti')
    assert iteration_seconds(scalars) == [1.25, 0.75]
    scalars.write_text(f'{whole}{{"loss": 1.0, "time": 2.0}}\n')
    assert iteration_seconds(scalars) == [1.25, 0.75, 2.0]


def test_before_the_first_iteration_there_are_none(tmp_path):
    assert iteration_seconds(None) == []
    (tmp_path / 'empty.json').touch()
    assert iteration_seconds(tmp_path / 'empty.json') == []


def logging(iterations):
    return [sys.executable, '-c', LOGGING, str(iterations)]


def run(folder, iterations):
    return TrainingRun('mine', logging(iterations), folder / 'run')


def test_a_turn_leaves_out_the_iteration_of_the_pause(tmp_path):
    with closing(run(tmp_path, 1000)) as mine:
        assert mine.wait_for(3)[:3] == [1, 2, 3]
        mine.pause()
        logged = len(iteration_seconds(mine.scalars()))
        first = mine.take_turn(4)
        assert first == [logged + 2 + number for number in range(4)]
        paused = len(iteration_seconds(mine.scalars()))
        assert mine.take_turn(2) == [paused + 2, paused + 3]
        assert mine.poll() is None


def test_a_run_that_ends_is_named_with_its_last_words(tmp_path):
    with closing(run(tmp_path, 2)) as mine, pytest.raises(UsageError) as error:
        mine.wait_for(5)
    assert str(error.value) == 'mine ended with exit code 1 in its training: no more images'


@pytest.mark.parametrize(('workers', 'iterations'), [(0, 1), (2, 5)])
def test_batches_that_are_fetched_ahead_do_not_count(workers, iterations):
    assert start_up(workers) == iterations


def test_when_one_ends_the_paused_ones_are_ended(tmp_path, alive):
    held = Subject('stock')
    commands = {held: logging(1000), Subject('mobilenext'): logging(2)}
    with pytest.raises(UsageError, match='^mobilenext ended with exit code 1 in its training: no more images$'):
        measure(commands, tmp_path, loader_workers=2, rounds=1, iterations=1)
    pid = int((tmp_path / 'stock' / 'pid').read_text())
    assert not alive(pid)
