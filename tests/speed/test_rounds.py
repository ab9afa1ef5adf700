"""Real processes take turns, with a real ONNX file."""

import cv2
import numpy as np
import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.rounds import Worker, count_steps, take_turns


@pytest.fixture(scope='module')
def pictures(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp('pictures')
    paths = [str(folder / f'{number}.png') for number in range(12)]
    for number, path in enumerate(paths):
        cv2.imwrite(path, scenes[number % len(scenes)])
    return paths


def test_every_job_times_every_picture(onnx_path, pictures):
    jobs = [dict(form='onnx', path=str(onnx_path), threads=threads) for threads in (1, 2)]
    calls = []
    timings = take_turns(jobs, pictures, lambda: calls.append(1))
    assert len(calls) == count_steps(jobs, pictures) == 2 + 2  # both opened, a round of ten and one of two
    assert len(timings) == 2
    for timing in timings:
        assert timing.network.shape == timing.file.shape == (12,)
        assert np.isfinite([timing.network, timing.file]).all()
        assert (timing.network > 0).all()
        # numpy, OpenCV and ONNX Runtime, but neither PyTorch nor what started the process.
        assert 20 < timing.imports_mib < timing.peak_mib < 250


def test_a_file_that_cannot_be_opened_is_named(tmp_path, pictures):
    (tmp_path / 'no.onnx').write_bytes(b'no model')
    job = dict(form='onnx', path=str(tmp_path / 'no.onnx'), threads=1)
    with pytest.raises(UsageError, match=f'^{job["path"]}, onnx, cannot be timed: .* is no ONNX model'):
        take_turns([job], pictures, lambda: None)


def test_a_picture_that_cannot_be_read_is_named(onnx_path, tmp_path):
    job = dict(form='onnx', path=str(onnx_path), threads=1)
    with pytest.raises(UsageError, match='nowhere.jpg is not there'):
        take_turns([job], [str(tmp_path / 'nowhere.jpg')], lambda: None)


def test_a_process_that_dies_is_reported(onnx_path, pictures):
    worker = Worker(dict(form='onnx', path=str(onnx_path), threads=1))
    try:
        worker.answer()
        worker._process.kill()
        worker._process.wait()
        with pytest.raises(UsageError, match='its process ended with exit code -9'):
            worker.ask(pictures)
    finally:
        worker.close()
