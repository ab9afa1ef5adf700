import json
import re

import pytest
import torch
from mmengine.config import Config

from mobilenext_det import config_path
from mobilenext_det.engine.config import load_config
from tests.own_data.label_formats import CLASSES, WRITERS, voc

BOX = '<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>45</xmax><ymax>45</ymax></bndbox>'


@pytest.fixture
def photos(tmp_path):
    voc(tmp_path / 'photos')
    return tmp_path / 'photos'


def test_three_commands_from_labelled_images_to_detections(tools, photos, tmp_path, capsys):
    mine, run, image = tmp_path / 'mine', tmp_path / 'run', photos / 'a.jpg'
    size = ('--input-size', '160')
    assert tools.main('prepare.py', photos, '--out', mine, *size, '--minutes', '0.01') == 0
    said = capsys.readouterr().out
    assert f'python tools/train.py {mine / "mine.py"}' in said
    assert re.search(
        r'VOC XML\. Input of 160 pixels.* 10 iterations of 2 images \(7 epochs\), 0 minutes at [\d.]+ images/s', said
    )
    assert {path.name for path in mine.iterdir()} == {
        'mine.py', 'train.json', 'val.json', 'data.html', 'data.json', 'boxes.png', 'thumbnails.png',
    }  # fmt: skip
    parts = [json.loads((mine / f'{part}.json').read_text()) for part in ('train', 'val')]
    assert sum(len(part['images']) for part in parts) == 4
    assert [each['name'] for each in parts[0]['categories']] == sorted(CLASSES)

    short = ('max_iters=2', 'val_interval=1', 'num_workers=0', 'warmup_iters=1')
    trained = tools('train.py', mine / 'mine.py', '--work-dir', run, '--cfg-options', *short)
    assert trained.returncode == 0, trained.stderr
    assert (run / 'report' / 'index.html').exists()
    assert f'tools/export.py {run / "mine.py"} {run}/' in trained.stderr + trained.stdout

    assert tools.main('detect.py', '--run', run, image, '--out', tmp_path / 'found', '--score-thr', '0') == 0
    assert json.loads((tmp_path / 'found' / 'a.json').read_text())['file'] == str(image)
    (last,) = run.glob('iter_2.pth')
    classes = torch.load(last, weights_only=True)['meta']['dataset_meta']['classes']
    assert tuple(classes) == tuple(sorted(CLASSES))


def test_more_minutes_than_are_of_use_are_not_taken(tools, photos, tmp_path):
    """The images are whole ones, and three of them."""
    for file in photos.glob('*.xml'):  # a size for each class
        file.write_text(re.sub('<bndbox>.*?</bndbox>', BOX, file.read_text(encoding='utf-8')), encoding='utf-8')
    arguments = ('--out', tmp_path / 'mine', '--input-size', '160', '--minutes', '600')
    assert tools.main('prepare.py', photos, *arguments) == 0
    config = load_config(tmp_path / 'mine' / 'mine.py')
    assert (config.crops, config.max_iters) == (False, 300)


def test_a_small_batch_has_its_share_of_the_recipes_rate(tools, photos, tmp_path):
    assert tools.main('prepare.py', photos, '--out', tmp_path / 'mine', '--input-size', '160') == 0
    recipe = load_config(config_path('own_data/ssdlite_mobilenext_own.py'))
    mine = load_config(tmp_path / 'mine' / 'mine.py')
    share = mine.train_dataloader.batch_size / recipe.train_dataloader.batch_size
    assert mine.optim_wrapper.optimizer.lr == pytest.approx(share * recipe.optim_wrapper.optimizer.lr, rel=1e-5)


@pytest.mark.parametrize('form', WRITERS)
def test_every_format_ends_in_the_same_lists(tools, tmp_path, form):
    lists = {}
    for name in ('voc', form):
        WRITERS[name](tmp_path / name)
        out = tmp_path / f'{name}-out'
        assert tools.main('prepare.py', tmp_path / name, '--out', out, '--input-size', '160') == 0
        content = [json.loads((out / f'{part}.json').read_text()) for part in ('train', 'val')]
        lists[name] = [
            sorted(
                (
                    image['file_name'].rpartition('/')[2],
                    [each['bbox'] for each in part['annotations'] if each['image_id'] == image['id']],
                )
                for image in part['images']
            )
            for part in content
        ]
    for (ours, boxes), (theirs, same) in zip(sum(lists[form], []), sum(lists['voc'], []), strict=True):
        assert (ours, sum(boxes, [])) == (theirs, pytest.approx(sum(same, []), abs=0.02))


def test_small_objects_get_a_finer_grid(tools, tmp_path):
    objects = ''.join(f'0 {x / 10 + 0.0125} {y / 10 + 0.0125} .05 .05\n' for x in range(1, 10) for y in range(1, 10))
    WRITERS['yolo'](tmp_path / 'yolo')
    for file in (tmp_path / 'yolo' / 'labels').iterdir():
        file.write_text(objects)
    assert tools.main('prepare.py', tmp_path / 'yolo', '--out', tmp_path / 'mine') == 0
    config = Config.fromfile(tmp_path / 'mine' / 'mine.py')
    assert config.model.neck.passed == 3
    assert len(config.min_sizes) == 7


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        (['--classes', 'dog', 'cat'], "There is no object of class 'cat' in the data; the classes are 'dog' (3)"),
        (['--rename', 'cat=dog'], "--rename cat=...: there is no such class; the classes are 'dog' (3)"),
        (['--rename', 'dog'], '--rename takes WRONG=RIGHT, but got dog.'),
        (['--format', 'coco'], 'there are 4 images here, but no labels (COCO JSON)'),
        (['--minutes', 'nan'], '--minutes nan is no time to train for: take more than 0.'),
        (['--minutes', '-1'], '--minutes -1 is no time to train for: take more than 0.'),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_mistake_is_one_sentence(tools, photos, tmp_path, capsys, options, sentence):
    assert tools.main('prepare.py', photos, '--out', tmp_path / 'mine', *options) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / 'mine').exists()


def test_a_misspelt_class_is_refused_with_the_command_that_mends_it(tools, photos, tmp_path, capsys):
    file = photos / 'd.xml'
    file.write_text(file.read_text().replace('<name>dog</name>', '<name>Dog</name>', 1))
    assert tools.main('prepare.py', photos, '--out', tmp_path / 'mine', '--input-size', '160') == 2
    assert '--rename "Dog=dog"' in capsys.readouterr().err
    assert tools.main(
        'prepare.py', photos, '--out', tmp_path / 'mine', '--input-size', '160', '--rename', 'Dog=dog'
    ) == 0  # fmt: skip
    classes = [each['name'] for each in json.loads((tmp_path / 'mine' / 'val.json').read_text())['categories']]
    assert classes == sorted(CLASSES)


def test_classes_that_are_not_asked_for_are_left_out_and_counted(tools, photos, tmp_path, capsys):
    arguments = ('--out', tmp_path / 'mine', '--classes', 'dog', '--input-size', '160')
    assert tools.main('prepare.py', photos, *arguments) == 0
    assert re.search(r'class was not asked for +│ +2 │ object skipped', capsys.readouterr().out)


def test_what_was_made_is_not_read_as_data_and_a_changed_config_is_kept(tools, photos, capsys):
    """The folder for the results may lie in that of the data."""
    mine = photos / 'mine'
    arguments = ('prepare.py', photos, '--out', mine, '--input-size', '160', '--classes', 'dog', 'dog')
    assert tools.main(*arguments) == 0
    first = {part: (mine / f'{part}.json').read_text() for part in ('train', 'val')}
    config = mine / 'mine.py'
    config.write_text('# by hand')
    capsys.readouterr()
    assert tools.main(*arguments) == 0
    assert f'{config}.bak is the config of before.' in capsys.readouterr().out
    assert (mine / 'mine.py.bak').read_text() == '# by hand'
    assert {part: (mine / f'{part}.json').read_text() for part in first} == first
    assert load_config(config).classes == ('dog',)


def test_a_place_for_the_results_that_cannot_be_is_one_sentence(tools, photos, tmp_path, capsys):
    (tmp_path / 'file').touch()
    for out, sentence in (
        (photos, 'is the folder of the data: name another folder.'),
        (tmp_path / 'file', 'is a file: name another folder.'),
        (tmp_path / "bob's", 'a path with quotes or backslashes cannot stand in a config.'),
    ):
        assert tools.main('prepare.py', photos, '--out', out) == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "bob's").exists()


def test_data_without_one_object_is_one_sentence(tools, photos, tmp_path, capsys):
    for file in photos.glob('*.xml'):
        file.write_text('<annotation/>')
    assert tools.main('prepare.py', photos, '--out', tmp_path / 'mine') == 2
    assert 'No object can be trained on: there is none.' in capsys.readouterr().err


def test_classes_may_be_called_what_matplotlib_leaves_out_of_legends(tools, photos, tmp_path):
    for file in photos.glob('*.xml'):
        file.write_text(file.read_text(encoding='utf-8').replace('<name>dog<', '<name>_ignore_<'), encoding='utf-8')
    assert tools.main('prepare.py', photos, '--out', tmp_path / 'mine', '--input-size', '160') == 0
    assert (tmp_path / 'mine' / 'data.html').exists()
