"""Runs are followed through what mmengine writes."""

import json
import sys
from contextlib import closing

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.training_run import TrainingRun, iteration_seconds, start_up

LINES = [
    {'lr': 0.001, 'data_time': 0.5, 'loss': 13.5, 'loss_cls': 10.2, 'time': 1.25, 'iter': 1, 'step': 1},
    {'lr': 0.001, 'data_time': 0.1, 'loss': 12.5, 'loss_cls': 9.2, 'time': 0.75, 'iter': 2, 'step': 2},
    {'voc/mAP_11points': 0.1, 'data_time': 0.01, 'time': 0.2, 'step': 2},
]
# Logs an iteration every 20 ms, as mmengine does.
LOGGING = """
import json, os, sys, time
folder = sys.argv[sys.argv.index('--work-dir') + 1] + '/20260101_000000/vis_data'
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


def run(folder, iterations):
    return TrainingRun('mine', [sys.executable, '-c', LOGGING, str(iterations)], folder / 'run')


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
