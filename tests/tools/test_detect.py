import json

import cv2
import numpy as np
import pytest
import torch
from matplotlib import get_data_path


def test_images_folders_and_videos(tools, toy_root, trained, tmp_path, capsys):
    images = sorted((toy_root / 'VOC2007/JPEGImages').glob('*.jpg'))
    folder, clip, out = tmp_path / 'in' / 'deep', tmp_path / 'clip.avi', tmp_path / 'out'
    folder.mkdir(parents=True)
    (folder / 'whole.PNG').write_bytes(cv2.imencode('.png', cv2.imread(str(images[0])))[1].tobytes())
    (folder / 'half.jpg').write_bytes(images[1].read_bytes()[:2000])
    (folder / 'notes.txt').write_text('not an image')
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*'MJPG'), 5, (96, 64))
    for shade in (50, 100, 150):
        writer.write(np.full((64, 96, 3), shade, np.uint8))
    writer.release()
    code = tools.main(
        'detect.py', tools.config, trained / 'iter_8.pth', tmp_path / 'in', images[2], clip, tmp_path / 'nowhere.jpg',
        '--out', out, '--score-thr', '0.06', '--json', '--cfg-options', 'model.test_cfg.max_per_img=5',
    )  # fmt: skip
    assert code == 1
    said = capsys.readouterr()
    assert f'{folder / "half.jpg"}: ' in said.err
    assert f'{tmp_path / "nowhere.jpg"}: ' in said.err
    assert 'Traceback' not in said.err
    records = json.loads(said.out.splitlines()[-1])
    assert [record['file'] for record in records] == [str(folder / 'whole.PNG'), str(images[2]), str(clip)]
    stem = images[2].stem
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ['whole.jpg', 'whole.json', f'{stem}.jpg', f'{stem}.json', 'clip.mp4', 'clip.json']
    )
    assert json.loads((out / 'whole.json').read_text()) == records[0]
    classes = torch.load(trained / 'iter_8.pth', weights_only=True)['meta']['dataset_meta']['classes']
    for record in records[:2]:
        height, width = record['height'], record['width']
        zoom = -(-640 // max(height, width))  # small pictures are enlarged
        drawn = cv2.imread(str(out / f'{record["file"].split("/")[-1].split(".")[0]}.jpg'))
        assert drawn.shape == (zoom * height, zoom * width, 3)
        for detection in record['detections']:
            assert detection['class'] in classes
            assert detection['score'] >= 0.06
    video = cv2.VideoCapture(str(out / 'clip.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert [frame['frame'] for frame in records[2]['frames']] == [0, 1, 2]
    assert (records[2]['fps'], records[2]['width'], records[2]['height']) == (5, 96, 64)


def test_no_input_is_overwritten(tools, toy_root, trained, capsys):
    image = sorted((toy_root / 'VOC2007/JPEGImages').glob('*.jpg'))[0]
    before = image.read_bytes()
    assert tools.main('detect.py', tools.config, trained / 'iter_8.pth', image, '--out', image.parent) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f'{image} would be overwritten by its own detections: name another folder with --out.'
    )
    assert image.read_bytes() == before


def test_the_detector_that_comes_along_needs_no_name(tools, tmp_path, capsys):
    photograph = get_data_path() + '/sample_data/grace_hopper.jpg'
    assert tools.main('detect.py', photograph, '--out', tmp_path, '--json') == 0
    (record,) = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert record['detections'][0]['class'] == 'person'
    assert (tmp_path / 'grace_hopper.jpg').exists()


def test_a_config_without_its_checkpoint_is_refused(tools, tmp_path, capsys):
    with pytest.raises(SystemExit):
        tools.main('detect.py', tools.config, 'photo.jpg', '--out', tmp_path)
    assert 'a config is followed by its checkpoint and an input' in capsys.readouterr().err


def test_a_run_is_taken_whatever_the_inputs_are_called(tools, tmp_path, capsys):
    inputs = ('first.py', 'second.pth', 'photo.jpg')  # not a config, a checkpoint and an input
    assert tools.main('detect.py', '--run', tmp_path, *inputs, '--out', tmp_path / 'out') == 2
    assert f'{tmp_path} holds no config' in capsys.readouterr().err
