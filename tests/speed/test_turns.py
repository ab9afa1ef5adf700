"""Real processes take turns, with a real ONNX file."""

from contextlib import closing

import cv2
import numpy as np
import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.forms import time_pictures
from mobilenext_det.speed.turns import Job, Worker, take_turns


@pytest.fixture(scope='module')
def pictures(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp('pictures')
    paths = [str(folder / f'{number}.png') for number in range(12)]
    for number, path in enumerate(paths):
        cv2.imwrite(path, scenes[number % len(scenes)])
    return paths


def test_each_has_its_turn_before_any_has_its_next():
    done = []
    subjects = {name: lambda turn, name=name: done.append((name, turn)) or f'{name}{turn}' for name in 'ab'}
    assert take_turns(subjects, [1, 2]) == {'a': ['a1', 'a2'], 'b': ['b1', 'b2']}
    assert done == [('a', 1), ('b', 1), ('a', 2), ('b', 2)]


def test_every_job_times_every_picture(onnx_path, pictures):
    jobs = {threads: Job('onnx', dict(path=str(onnx_path)), threads) for threads in (1, 2)}
    timings = time_pictures(jobs, pictures)
    assert list(timings) == [1, 2]
    for timing in timings.values():
        assert timing.network.shape == timing.image.shape == timing.file.shape == (12,)
        assert np.isfinite([timing.network, timing.image, timing.file]).all()
        assert (timing.network > 0).all() and (timing.file > timing.image).all()
        # numpy, OpenCV and ONNX Runtime, but neither PyTorch nor what started the process.
        assert 20 < timing.imports_mib < timing.peak_mib < 250


def test_a_file_that_cannot_be_opened_is_named(tmp_path, pictures):
    path = tmp_path / 'no.onnx'
    path.write_bytes(b'no model')
    with pytest.raises(UsageError, match=f'^{path} is no ONNX model'):
        time_pictures({'no': Job('onnx', dict(path=str(path)))}, pictures)


def test_a_picture_that_cannot_be_read_is_named(onnx_path, tmp_path):
    with pytest.raises(UsageError, match=f'^{tmp_path}/nowhere.jpg is not there'):
        time_pictures({'one': Job('onnx', dict(path=str(onnx_path)))}, [str(tmp_path / 'nowhere.jpg')])


def test_what_cannot_be_imported_is_named(tmp_path, pictures, monkeypatch):
    (tmp_path / 'onnxruntime.py').write_text('import that_is_not_there')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    with pytest.raises(UsageError, match="^onnx cannot be timed here: No module named 'that_is_not_there'.$"):
        time_pictures({'one': Job('onnx', dict(path='any'))}, pictures)


def test_a_process_that_dies_is_reported(onnx_path, pictures, tmp_path):
    with closing(Worker(Job('onnx', dict(path=str(onnx_path))), tmp_path / 'log')) as worker:
        worker.open()
        worker.wait()
        worker._process.kill()
        worker._process.wait()
        with pytest.raises(UsageError, match='^A process that times onnx ended with exit code -9: it said nothing$'):
            worker.ask(pictures)
