import json

import cv2
import numpy as np
import pytest

from mobilenext_det.errors import MachineError, UsageError
from mobilenext_det.inference.detect import detect


def picture(path, height=40, width=60):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return str(path)


def video(path):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 5, (60, 40))
    writer.write(np.full((40, 60, 3), 90, np.uint8))
    writer.release()
    return str(path)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_inputs_of_one_name_get_a_file_each(detector, tmp_path):
    inputs = [
        picture(tmp_path / 'a' / 'x.png', width=50),
        picture(tmp_path / 'b' / 'x.jpg', width=60),
        picture(tmp_path / 'x.bmp', width=70),
    ]
    results, failures = detect(detector, inputs, tmp_path / 'out')
    assert failures == []
    assert [(result['file'], result['width'], result['height']) for result in results] == [
        (file, width, 40) for file, width in zip(inputs, (50, 60, 70), strict=True)
    ]
    assert names(tmp_path / 'out') == ['x-2.jpg', 'x-2.json', 'x-3.jpg', 'x-3.json', 'x.jpg', 'x.json']
    for name, result, zoom in zip(('x', 'x-2', 'x-3'), results, (13, 11, 10), strict=True):
        assert json.loads((tmp_path / 'out' / f'{name}.json').read_text()) == result
        assert cv2.imread(str(tmp_path / 'out' / f'{name}.jpg')).shape == (40 * zoom, result['width'] * zoom, 3)


def test_detections_are_drawn(detector, tmp_path):
    file = picture(tmp_path / 'x.png')
    (result,), _ = detect(detector, [file], tmp_path / 'out', score_thr=0)
    assert len(result['detections']) == 9
    drawn = cv2.imread(str(tmp_path / 'out' / 'x.jpg'))
    assert np.abs(drawn.astype(int) - 90).max() > 60
    detect(detector, [file], tmp_path / 'none', score_thr=1.01)
    assert np.abs(cv2.imread(str(tmp_path / 'none' / 'x.jpg')).astype(int) - 90).max() <= 2


def test_what_cannot_be_read_is_counted_and_the_rest_goes_on(detector, tmp_path):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'text.jpg').write_text('text')
    (tmp_path / 'text.mp4').write_text('text')
    inputs = [str(tmp_path / name) for name in ('empty', 'text.jpg', 'text.mp4', 'nowhere.png')]
    results, failures = detect(detector, [*inputs, picture(tmp_path / 'x.png')], tmp_path / 'out')
    assert len(results) == 1
    assert [failure.split(': ')[0] for failure in failures] == inputs
    assert all(failure.endswith('.') and '\n' not in failure for failure in failures)
    assert names(tmp_path / 'out') == ['x.jpg', 'x.json']


def test_what_cannot_be_written_is_no_result(detector, tmp_path):
    for name in ('x.jpg', 'y.mp4'):
        (tmp_path / 'out' / name).mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match=r'out/x\.jpg'):
        detect(detector, [picture(tmp_path / 'x.png')], tmp_path / 'out')
    with pytest.raises(MachineError, match=r'out/y\.mp4 cannot be written: name another folder'):
        detect(detector, [video(tmp_path / 'y.avi')], tmp_path / 'out')


def test_nothing_is_read_twice_as_its_own_output(detector, tmp_path):
    file = picture(tmp_path / 'x.jpg')
    with pytest.raises(UsageError, match='x.jpg would be overwritten'):
        detect(detector, [file], tmp_path)
