import json
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import pytest

from mobilenext import exit_code
from mobilenext_det.datasets.toy_scenes import CLASSES, draw_scene
from mobilenext_det.datasets.toy_voc import make_toy_voc
from mobilenext_det.errors import UsageError

SMALL_SET = {'trainval': 24, 'test': 8, 'seed': 3, 'size': 128}
TOOL = Path(__file__).parents[2] / 'tools' / 'data' / 'make_toy_voc.py'


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob('*') if path.is_file()}


def run_tool(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
    return exit_code(runpy.run_path(str(TOOL))['main'])


@pytest.fixture(scope='module')
def voc(tmp_path_factory):
    out = tmp_path_factory.mktemp('toy')
    assert make_toy_voc(out, **SMALL_SET, workers=2)
    return out / 'VOC2007'


def test_layout_and_image_sets(voc):
    numbers = [f'{number:06d}' for number in range(1, 33)]
    assert sorted(path.name for path in (voc / 'JPEGImages').iterdir()) == [f'{number}.jpg' for number in numbers]
    assert sorted(path.name for path in (voc / 'Annotations').iterdir()) == [f'{number}.xml' for number in numbers]
    listed = {
        split: (voc / f'ImageSets/Main/{split}.txt').read_text().split()
        for split in ('train', 'val', 'trainval', 'test')
    }
    assert listed['trainval'] == numbers[:24]
    assert listed['test'] == numbers[24:]
    assert sorted(listed['train'] + listed['val']) == listed['trainval']
    assert len(listed['train']) == len(listed['val'])
    assert json.loads((voc / 'toy_voc.json').read_text()).items() >= SMALL_SET.items()
    assert list(voc.parent.iterdir()) == [voc]
    assert voc.stat().st_mode == (voc / 'JPEGImages').stat().st_mode


def test_annotations_have_the_fields_of_voc_and_the_boxes_of_the_scene(voc):
    for number in range(1, 33):
        split, index = ('trainval', number - 1) if number <= 24 else ('test', number - 25)
        drawn, objects = draw_scene(3, split, index, 128)
        root = ET.parse(voc / 'Annotations' / f'{number:06d}.xml').getroot()
        assert [child.tag for child in root] == ['folder', 'filename', 'source', 'size', 'segmented'] + [
            'object'
        ] * len(objects)
        assert (root.findtext('folder'), root.findtext('filename'), root.findtext('segmented')) == (
            'VOC2007',
            f'{number:06d}.jpg',
            '0',
        )
        image = cv2.imread(str(voc / 'JPEGImages' / root.findtext('filename')))
        assert (
            tuple(int(root.findtext(f'size/{tag}')) for tag in ('height', 'width', 'depth'))
            == image.shape
            == drawn.shape
        )
        assert cv2.absdiff(image, drawn).mean() < 15  # what JPEG does to noise
        for node, item in zip(root.iter('object'), objects, strict=True):
            assert [child.tag for child in node] == ['name', 'pose', 'truncated', 'difficult', 'bndbox']
            assert [child.tag for child in node.find('bndbox')] == ['xmin', 'ymin', 'xmax', 'ymax']
            xmin, ymin, xmax, ymax = (int(child.text) for child in node.find('bndbox'))
            assert 1 <= xmin < xmax <= image.shape[1]
            assert 1 <= ymin < ymax <= image.shape[0]
            assert (node.findtext('name'), (xmin, ymin, xmax, ymax)) == (item.name, item.box)
            assert node.findtext('truncated') == str(int(item.truncated))
            assert node.findtext('difficult') == str(int(item.difficult))


@pytest.mark.parametrize('split', ['train', 'val', 'trainval', 'test'])
def test_class_lists_say_which_images_show_a_class(voc, split):
    numbers = (voc / f'ImageSets/Main/{split}.txt').read_text().split()
    for label in CLASSES:
        lines = (voc / f'ImageSets/Main/{label}_{split}.txt').read_text().splitlines()
        expected = []
        for number in numbers:
            flags = [
                node.findtext('difficult')
                for node in ET.parse(voc / 'Annotations' / f'{number}.xml').iter('object')
                if node.findtext('name') == label
            ]
            expected.append(f'{number}  1' if '0' in flags else f'{number}  0' if flags else f'{number} -1')
        assert lines == expected


def test_stock_mmdetection_reads_it_by_its_data_root_alone(voc):
    from mmdet.datasets import VOCDataset

    dataset = VOCDataset(
        data_root=str(voc.parent),
        ann_file='VOC2007/ImageSets/Main/trainval.txt',
        data_prefix={'sub_data_root': 'VOC2007/'},
        pipeline=[],
    )
    assert len(dataset) == 24
    for index in range(24):
        found = [CLASSES[instance['bbox_label']] for instance in dataset.get_data_info(index)['instances']]
        assert found == [item.name for item in draw_scene(3, 'trainval', index, 128)[1]]


def test_number_of_workers_changes_nothing(voc, tmp_path):
    make_toy_voc(tmp_path, **SMALL_SET, workers=1)
    assert contents(tmp_path / 'VOC2007') == contents(voc)


def test_a_larger_set_begins_with_the_same_scenes(voc, tmp_path):
    make_toy_voc(tmp_path, **SMALL_SET | {'trainval': 26, 'test': 1})
    for number in range(1, 25):
        name = f'JPEGImages/{number:06d}.jpg'
        assert (tmp_path / 'VOC2007' / name).read_bytes() == (voc / name).read_bytes()


def test_the_same_set_is_not_made_twice(voc, monkeypatch, capsys):
    before = {path: path.stat().st_mtime_ns for path in voc.rglob('*')}
    assert make_toy_voc(voc.parent, **SMALL_SET) is False
    options = ('--trainval', 24, '--test', 8, '--seed', 3, '--size', 128)
    assert run_tool(monkeypatch, '--out', voc.parent, *options) == 0
    assert 'were there already' in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in voc.rglob('*')} == before


def test_another_set_is_not_overwritten(voc, monkeypatch, tmp_path, capsys):
    before = contents(voc)
    with pytest.raises(UsageError, match='holds another data set .* delete this one'):
        make_toy_voc(voc.parent, **SMALL_SET | {'seed': 4})
    assert run_tool(monkeypatch, '--out', voc.parent) == 2
    assert 'VOC2007 holds another data set' in capsys.readouterr().err
    assert contents(voc) == before

    (tmp_path / 'VOC2007').mkdir()
    (tmp_path / 'VOC2007' / 'real.jpg').write_bytes(b'a real one')
    with pytest.raises(UsageError, match='no toy_voc.json'):
        make_toy_voc(tmp_path, **SMALL_SET)
    assert contents(tmp_path) == {Path('VOC2007/real.jpg'): b'a real one'}


def test_a_set_that_lost_files_is_reported(tmp_path):
    make_toy_voc(tmp_path, 2, 1, size=128)
    (tmp_path / 'VOC2007/JPEGImages/000002.jpg').unlink()
    with pytest.raises(UsageError, match='JPEGImages holds 2 files where 3 were made: delete'):
        make_toy_voc(tmp_path, 2, 1, size=128)


@pytest.mark.parametrize('wrong', [{'trainval': 0}, {'test': -1}, {'size': 95}])
def test_numbers_too_small_are_refused(wrong, tmp_path):
    with pytest.raises(UsageError, match=f'{next(iter(wrong))}={next(iter(wrong.values()))}'):
        make_toy_voc(tmp_path, **wrong)
    assert not list(tmp_path.iterdir())


def make_until_interrupted(folder):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs deaf to this signal
    make_toy_voc(folder, trainval=5000)


def test_an_interrupted_run_leaves_nothing(tmp_path):
    maker = multiprocessing.get_context('fork').Process(target=make_until_interrupted, args=(tmp_path,))
    maker.start()
    while maker.is_alive() and not list(tmp_path.glob('.making-*/VOC2007/JPEGImages/*.jpg')):
        time.sleep(0.05)
    assert maker.is_alive()
    os.kill(maker.pid, signal.SIGINT)
    maker.join()
    assert maker.exitcode != 0
    assert not list(tmp_path.iterdir())


def test_help_needs_no_deep_learning():
    result = subprocess.run(
        [sys.executable, '-X', 'importtime', str(TOOL), '--help'], capture_output=True, text=True, check=True
    )
    assert all(option in result.stdout for option in ('--out', '--trainval', '--test', '--seed', '--size', '--workers'))
    imported = {line.split('|')[-1].strip().split('.')[0] for line in result.stderr.splitlines()}
    assert 'argparse' in imported
    assert not imported & {'torch', 'mmengine', 'mmdet', 'mobilenext_det'}
