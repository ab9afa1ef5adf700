import json
import os
from pathlib import Path

import pytest
from PIL import Image

from mobilenext_det.datasets.problems import Kind
from mobilenext_det.errors import BadDataError
from mobilenext_det.own_data.formats import READERS, read_labels
from tests.own_data.label_formats import IMAGES, WRITERS, read_by_globox, save_images, voc, yolo


def read(folder, form=None):
    labels = read_labels(folder, form)
    return labels, {
        image.path.stem: sorted((each.name, *map(round, each.box)) for each in image.objects) for image in labels.images
    }


@pytest.mark.parametrize('form', WRITERS)
def test_every_format_is_found_and_read_to_the_pixel(tmp_path, form):
    WRITERS[form](tmp_path)
    labels, found = read(tmp_path)
    assert labels.form == READERS[form].FORM
    assert labels.problems == []
    assert found == {name: sorted(objects) for name, (_, _, objects) in IMAGES.items()}
    assert {image.path.stem: image.size for image in labels.images} == {n: (w, h) for n, (w, h, _) in IMAGES.items()}


@pytest.mark.parametrize('form', WRITERS)
def test_another_library_reads_the_same(tmp_path, form):
    WRITERS[form](tmp_path)
    _, found = read(tmp_path)
    theirs = read_by_globox(form, tmp_path)
    if form == 'voc':  # globox takes VOC's first pixel, 1, for an edge
        theirs = {name: [(c, x1 - 1, y1 - 1, x2, y2) for c, x1, y1, x2, y2 in boxes] for name, boxes in theirs.items()}
    assert theirs == found


@pytest.mark.parametrize('layout', ['train/images', 'images/train', 'train'])
def test_folders_name_the_parts_as_roboflow_and_others_do(tmp_path, layout):
    for part in ('train', 'valid', 'test'):
        folder = tmp_path / layout.replace('train', part)
        save_images(folder, ['a'])
        labels = tmp_path / layout.replace('train', part).replace('images', 'labels')
        labels.mkdir(parents=True, exist_ok=True)
        (labels / 'a.txt').write_text('0 .5 .5 .2 .2')
    (tmp_path / 'data.yaml').write_text('names: {0: dog}\n')
    images = read_labels(tmp_path).images
    assert sorted((image.part, len(image.objects)) for image in images) == [('test', 1), ('train', 1), ('val', 1)]


def list_images(folder, **lists):
    lists_folder = folder / 'ImageSets' / 'Main'
    lists_folder.mkdir(parents=True, exist_ok=True)
    for name, lines in lists.items():
        (lists_folder / f'{name}.txt').write_text(lines, encoding='utf-8-sig')
    labels = read_labels(folder)
    return labels.problems, {image.path.stem: image.part for image in labels.images}


def test_lists_of_voc_name_the_parts(tmp_path):
    voc(tmp_path)
    _, parts = list_images(tmp_path, train='a\nnaïve 3\n', test='b.c\r\n')
    assert parts == {'a': 'train', 'naïve 3': 'train', 'b.c': 'test'}


def test_an_image_that_no_list_names_is_left_out_and_counted(tmp_path):
    voc(tmp_path)
    problems, parts = list_images(tmp_path, trainval='a\nb.c\n')
    assert parts == {'a': None, 'b.c': None}
    assert {each.kind for each in problems} == {Kind.UNLISTED}
    assert [Path(each.path).stem for each in problems] == ['d', 'naïve 3']


def test_a_list_of_the_test_part_alone_leaves_the_rest_to_train_on(tmp_path):
    voc(tmp_path)
    problems, parts = list_images(tmp_path, test='b.c\n')
    assert (problems, parts) == ([], {'a': None, 'b.c': 'test', 'd': None, 'naïve 3': None})


def test_lists_speak_of_the_folder_that_they_are_in(tmp_path):
    voc(tmp_path / 'listed')
    voc(tmp_path / 'other')
    list_images(tmp_path / 'listed', train='a\n')
    images = read_labels(tmp_path).images
    found = [(each.path.relative_to(tmp_path).parts[0], each.part) for each in images]
    assert sorted(found, key=str) == [('listed', 'train'), *[('other', None)] * len(IMAGES)]


def test_a_label_is_of_the_image_that_shares_its_folders(tmp_path):
    for part, box in (('train', '.5 .5 .2 .2'), ('val', '.5 .5 .4 .4')):
        save_images(tmp_path / 'images' / part, ['a'])
        (tmp_path / 'labels' / part).mkdir(parents=True)
        (tmp_path / 'labels' / part / 'a.txt').write_text(f'0 {box}')
    (tmp_path / 'classes.txt').write_text('dog\n')
    widths = {image.part: image.objects[0].box[2] - image.objects[0].box[0] for image in read_labels(tmp_path).images}
    assert widths == pytest.approx(dict(train=20, val=40))


def test_a_polygon_of_yolo_is_the_box_around_it(tmp_path):
    yolo(tmp_path)
    (tmp_path / 'labels' / 'a.txt').write_text('0 .1 .25 .4 .25 .4 .75 .1 .5\n')
    assert ('dog', 10, 20, 40, 60) in read(tmp_path)[1]['a']


@pytest.mark.parametrize(
    ('line', 'kind'),
    [
        ('7 .5 .5 .2 .2', Kind.UNKNOWN_CLASS),
        ('0 .5 .5 .2', Kind.NOT_A_NUMBER),
        ('0 a b c d', Kind.NOT_A_NUMBER),
        ('0 nan .5 .2 .2', Kind.NOT_A_NUMBER),
        ('0 .5 .5 0 .2', Kind.NO_AREA),
        ('0 .5 .5 -.2 .2', Kind.SWAPPED),
        ('0 2 2 .2 .2', Kind.OUTSIDE),
        ('0 .9 .5 .4 .2', Kind.OVERHANG),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_kept(tmp_path, line, kind):
    yolo(tmp_path)
    (tmp_path / 'labels' / 'a.txt').write_text(f'0 .5 .5 .2 .2\n\n{line}\n')
    labels, found = read(tmp_path)
    (problem,) = labels.problems
    assert problem.kind is kind
    assert str(problem).startswith(f'{tmp_path / "labels" / "a.txt"}, object in line 3: ')
    assert len(found['a']) == 1 + kind.corrected


def test_missing_and_broken_images_are_named(tmp_path):
    voc(tmp_path)
    (tmp_path / 'a.jpg').unlink()
    (tmp_path / 'd.jpg').write_bytes((tmp_path / 'd.jpg').read_bytes()[:-200])
    (tmp_path / 'b.c.xml').write_text('<annotation>')
    labels, found = read(tmp_path)
    assert {each.kind for each in labels.problems} == {Kind.NO_IMAGE, Kind.BAD_XML, Kind.BROKEN_IMAGE}
    assert list(found) == ['naïve 3']


def test_labels_of_yolo_without_their_image_are_named(tmp_path):
    yolo(tmp_path)
    (tmp_path / 'images' / 'a.jpg').unlink()
    (tmp_path / 'images' / 'more').mkdir()
    (tmp_path / 'images' / 'more' / 'd.jpg').write_bytes((tmp_path / 'images' / 'd.jpg').read_bytes())
    (tmp_path / 'labels' / 'notes.txt').write_text('by two people')
    labels, _ = read(tmp_path)
    assert [(problem.kind, Path(problem.path).name) for problem in labels.problems] == [
        (Kind.NO_IMAGE, 'a.txt'),
        (Kind.NO_IMAGE, 'd.txt'),
    ]


def test_what_cannot_be_read_at_all_is_one_sentence(tmp_path):
    with pytest.raises(BadDataError, match='There is no folder .*nowhere'):
        read_labels(tmp_path / 'nowhere')
    with pytest.raises(BadDataError, match='there is no image here'):
        read_labels(tmp_path)
    save_images(tmp_path)
    with pytest.raises(BadDataError, match='there are 4 images here, but no labels'):
        read_labels(tmp_path)
    (tmp_path / 'a.txt').write_text('0 .5 .5 .2 .2')
    with pytest.raises(BadDataError, match='no file here names them: write data.yaml'):
        read_labels(tmp_path)
    voc(tmp_path)
    with pytest.raises(BadDataError, match=r'several formats here \(4 of VOC XML, 1 of YOLO text\)'):
        read_labels(tmp_path)
    assert len(read_labels(tmp_path, 'voc').images) == 4
    (tmp_path / 'broken.json').write_text(json.dumps(dict(images=[]))[:-1])
    with pytest.raises(BadDataError, match='broken.json: it cannot be read as JSON'):
        read_labels(tmp_path)


@pytest.mark.parametrize('form', ['voc', 'coco', 'labelme', 'cvat'])
def test_labels_of_an_image_of_another_size_are_no_labels_of_it(tmp_path, form):
    """As after the images were made smaller and their labels were not."""
    WRITERS[form](tmp_path)
    (image,) = tmp_path.rglob('a.jpg')
    Image.open(image).resize((50, 40)).save(image)
    labels, found = read(tmp_path)
    assert [problem.kind for problem in labels.problems] == [Kind.WRONG_SIZE]
    assert 'it says (100, 80), the image loads as (50, 40)' in str(labels.problems[0])
    assert found.keys() == IMAGES.keys() - {'a'}


@pytest.mark.parametrize('form', ['voc', 'coco', 'yolo', 'labelme'])
def test_an_image_that_two_files_label_is_refused(tmp_path, form):
    """It could train and validate, and with which objects nobody knows."""
    WRITERS[form](tmp_path)
    suffix = READERS[form].SUFFIX
    file = next(path for path in sorted(tmp_path.rglob(f'*{suffix}')) if path.stem in ('a', 'labels'))
    (tmp_path / 'old').mkdir()
    (tmp_path / 'old' / file.name).write_bytes(file.read_bytes())
    with pytest.raises(BadDataError, match=f'is labelled by .*{file.stem}.* and by .*{file.stem}.*: take one of the'):
        read_labels(tmp_path)


def test_an_image_is_read_once_with_all_its_objects_and_two_of_one_id_not_at_all(tmp_path):
    WRITERS['coco'](tmp_path)
    file = tmp_path / 'labels.json'
    content = json.loads(file.read_text())
    content['images'].append(content['images'][0] | dict(id=9))
    content['annotations'][1]['image_id'] = 9
    content['images'][2]['id'] = content['images'][3]['id']
    file.write_text(json.dumps(content))
    labels, found = read(tmp_path)
    kinds = [problem.kind for problem in labels.problems]
    assert kinds == [Kind.SAME_NUMBER, Kind.SAME_NUMBER, Kind.TWICE]
    assert found == {name: sorted(IMAGES[name][2]) for name in ('a', 'b.c')}


@pytest.mark.parametrize('kind', [str, float])
def test_ids_of_coco_may_be_texts_or_have_a_point(tmp_path, kind):
    WRITERS['coco'](tmp_path)
    file = tmp_path / 'labels.json'
    content = json.loads(file.read_text())
    for each in content['images'] + content['categories']:
        each['id'] = kind(each['id'])
    file.write_text(json.dumps(content))
    assert read(tmp_path)[1] == {name: sorted(objects) for name, (_, _, objects) in IMAGES.items()}


def test_an_image_whose_objects_are_all_unusable_is_no_background(tmp_path):
    voc(tmp_path)
    file = tmp_path / 'b.c.xml'
    file.write_text(file.read_text(encoding='utf-8').replace('<xmin>4', '<xmin>400'), encoding='utf-8')
    labels, found = read(tmp_path)
    assert [problem.kind for problem in labels.problems] == [Kind.SWAPPED, Kind.NOTHING_LEFT]
    assert 'b.c' not in found
    assert found['naïve 3'] == []


def test_images_that_share_a_label_are_no_background(tmp_path):
    yolo(tmp_path)
    (tmp_path / 'images' / 'a.png').write_bytes((tmp_path / 'images' / 'a.jpg').read_bytes())
    labels, found = read(tmp_path)
    assert "there are 2 images 'a', images/a.jpg and images/a.png among them" in str(labels.problems[0])
    assert 'a' not in found


def test_masks_beside_the_images_of_yolo_are_not_what_labels_are_about(tmp_path):
    yolo(tmp_path)
    (tmp_path / 'masks').mkdir()
    (tmp_path / 'masks' / 'a.png').write_bytes((tmp_path / 'images' / 'a.jpg').read_bytes())
    assert [len(image.objects) for image in read_labels(tmp_path).images if image.path.name == 'a.jpg'] == [2]


@pytest.mark.parametrize(
    ('lines', 'parts'),
    [
        ('train: ../train/images\nval: ../elsewhere/images\n', {'train': 'train', 'elsewhere': 'val'}),
        ('path: .\ntrain: train\nval: [elsewhere]\n', {'train': 'train', 'elsewhere': 'val'}),
        ('train: train\nval: list.txt\n', {'train': 'train', 'elsewhere': 'val'}),
        ('train: elsewhere\nval: elsewhere\n', {'train': 'train', 'elsewhere': None}),
        ('train: /content/set/train/images\nval: D:/set/elsewhere/images\n', {'train': 'train', 'elsewhere': 'val'}),
    ],
)
def test_parts_are_what_data_yaml_says(tmp_path, lines, parts):
    for number, part in enumerate(parts):
        save_images(tmp_path / part / 'images', [list(IMAGES)[number]])
        (tmp_path / part / 'labels').mkdir()
    (tmp_path / 'train' / 'labels' / 'a.txt').write_text('0 .5 .5 .2 .2')
    (tmp_path / 'list.txt').write_text('./elsewhere/images/b.c.jpg\n')
    (tmp_path / 'data.yaml').write_text(f'names: [dog]\n{lines}')
    images = read_labels(tmp_path).images
    assert {image.path.relative_to(tmp_path).parts[0]: image.part for image in images} == parts


def test_a_part_that_is_not_there_is_named(tmp_path):
    yolo(tmp_path)
    with (tmp_path / 'data.yaml').open('a') as file:
        file.write('train: images\nval: holdout\n')
    labels = read_labels(tmp_path)
    assert [str(each) for each in labels.problems] == [f'{tmp_path / "data.yaml"}: there is no image at val: holdout']
    assert {image.part for image in labels.images} == {'train'}


def test_keypoints_behind_a_box_are_not_a_polygon(tmp_path):
    yolo(tmp_path)
    (tmp_path / 'labels' / 'a.txt').write_text('0 .25 .5 .3 .5 .3 .4 2 .9 .9 1\n')
    with (tmp_path / 'data.yaml').open('a') as file:
        file.write('kpt_shape: [2, 3]\n')
    assert read(tmp_path)[1]['a'] == [('dog', 10, 20, 40, 60)]


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        ('names: [on, off, 1.10]', {0: 'on', 1: 'off', 2: '1.10'}),
        ('names: {0: dog, 2: cat}', {0: 'dog', 2: 'cat'}),
        ('names: {dog: 0}', 'names must be a list, or names by number'),
        ('names: dog', "names must be a list, or names by number, but are 'dog'"),
        ('path: "C:\\Users\\me"\nnames: [dog]', 'data.yaml: it cannot be read as YAML'),
    ],
)
def test_names_are_texts(tmp_path, text, names):
    yolo(tmp_path)
    (tmp_path / 'data.yaml').write_text(text)
    for file in (tmp_path / 'labels').iterdir():
        file.write_text('0 .5 .5 .2 .2\n2 .5 .5 .2 .2')
    if isinstance(names, str):
        with pytest.raises(BadDataError, match=names):
            read_labels(tmp_path)
    else:
        assert set(read_labels(tmp_path).count()) == {names[0], names[2]}


def test_names_are_found_in_a_file_of_any_name(tmp_path):
    yolo(tmp_path)
    (tmp_path / 'data.yaml').rename(tmp_path / 'blood.yaml')
    (tmp_path / 'compose.yaml').write_text('services: {web: [')
    (tmp_path / 'people.yaml').write_text('names: Ada')
    assert 'dog' in read_labels(tmp_path).count()


def test_a_blank_line_of_a_list_of_names_counts(tmp_path):
    yolo(tmp_path)
    (tmp_path / 'data.yaml').unlink()
    (tmp_path / 'classes.txt').write_text('dog\n\ncat\n')
    (tmp_path / 'labels' / 'a.txt').write_text('2 .5 .5 .2 .2')
    assert 'cat' in read_labels(tmp_path).count()


def test_sets_that_name_their_classes_differently_are_not_joined(tmp_path):
    yolo(tmp_path / 'one')
    (tmp_path / 'two').mkdir()
    (tmp_path / 'two' / 'coco.yaml').write_text('names: [person, car]')  # comes along, and is not meant
    (tmp_path / 'two' / 'data.yaml').write_text('names: [dog]')  # has seen no other
    assert 'dog' in read_labels(tmp_path).count()
    (tmp_path / 'two' / 'data.yaml').write_text('names: [other, dog]')
    with pytest.raises(BadDataError, match="name class 0 differently, 'dog' and 'other': prepare each by itself"):
        read_labels(tmp_path)


CVAT_SHAPES = {
    '<box xtl="10" ytl="35" xbr="90" ybr="45" rotation="90.0" label="dog"/>': ('dog', 45, 0, 55, 80),
    '<ellipse cx="50" cy="40" rx="20" ry="10" rotation="90" label="dog"/>': ('dog', 40, 20, 60, 60),
    '<ellipse cx="50" cy="40" rx="20" ry="10" label="dog"/>': ('dog', 30, 30, 70, 50),
    '<mask rle="1,2" left="3" top="4" width="20" height="30" label="dog"/>': ('dog', 3, 4, 23, 34),
    '<polygon points="1,2;30,4;5,60" label="dog"/>': ('dog', 1, 2, 30, 60),
    '<polyline points="1,2;30,4" label="dog"/>': None,
}


@pytest.mark.parametrize('shape', CVAT_SHAPES)
def test_shapes_of_cvat_are_the_boxes_around_them(tmp_path, shape):
    save_images(tmp_path, ['a', 'd'])
    box = '<box xtl="1" ytl="1" xbr="9" ybr="9" label="dog"/>'
    images = f'<image name="a.jpg">{shape}<tag label="sunny"/></image><image name="d.jpg">{box}</image>'
    (tmp_path / 'annotations.xml').write_text(f'<annotations>{images}</annotations>')
    labels, found = read(tmp_path)
    expected = CVAT_SHAPES[shape]
    assert found.get('a') == ([expected] if expected else None)
    assert [each.kind for each in labels.problems] == ([] if expected else [Kind.INCOMPLETE, Kind.NOTHING_LEFT])


@pytest.mark.parametrize(
    ('text', 'sentence'),
    [
        ('<annotations><track label="dog"/></annotations>', 'it has the tracks of a video; export it as'),
        ('<annotations><image name="a.jpg">', 'it cannot be read as XML'),
    ],
)
def test_a_file_of_cvat_that_cannot_be_read_is_refused(tmp_path, text, sentence):
    save_images(tmp_path)
    (tmp_path / 'annotations.xml').write_text(text)
    with pytest.raises(BadDataError, match=f'annotations.xml: {sentence}'):
        read_labels(tmp_path)


def test_numbered_images_in_numbered_folders_have_labels_of_their_own(tmp_path):
    for folder in ('1', '2'):
        for name in ('1', '2'):
            save_images(tmp_path / folder, ['a'])
            (tmp_path / folder / 'a.jpg').rename(tmp_path / folder / f'{name}.jpg')
            (tmp_path / folder / f'{name}.txt').write_text(f'0 .5 .5 .{folder} .{name}')
    (tmp_path / 'classes.txt').write_text('dog')
    labels = read_labels(tmp_path)
    assert labels.problems == []
    for image in labels.images:
        ((x1, y1, x2, y2),) = (each.box for each in image.objects)
        assert (x2 - x1, y2 - y1) == pytest.approx((10 * int(image.path.parent.name), 8 * int(image.path.stem)))


def test_a_label_of_one_part_is_not_about_an_image_of_another(tmp_path):
    """Where the image that it is about is missing, and the other part has one of the same name."""
    for part in ('train', 'val'):
        yolo(tmp_path / part)
    (tmp_path / 'train' / 'images' / 'a.jpg').unlink()
    labels = read_labels(tmp_path)
    (problem,) = labels.problems
    assert problem.path == str(tmp_path / 'train' / 'labels' / 'a.txt')
    assert problem.detail == "there is no image 'a' in its part of the data, only val/images/a.jpg"
    assert len(labels.images) == 2 * len(IMAGES) - 1


def test_a_mask_of_the_same_name_is_not_the_image_that_is_labelled(tmp_path):
    """As in Oxford's pets: annotations/xmls/X.xml, annotations/trimaps/X.png, images/X.jpg."""
    voc(tmp_path)
    for name in IMAGES:
        for folder, suffix in (('annotations/xmls', 'xml'), ('images', 'jpg')):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / f'{name}.{suffix}').rename(tmp_path / folder / f'{name}.{suffix}')
    (tmp_path / 'annotations' / 'a.png').write_bytes((tmp_path / 'images' / 'a.jpg').read_bytes())
    assert {image.path.suffix for image in read_labels(tmp_path).images} == {'.jpg'}


def test_captions_are_no_labels(tmp_path):
    WRITERS['coco'](tmp_path)
    content = json.loads((tmp_path / 'labels.json').read_text())
    del content['categories']
    (tmp_path / 'captions.json').write_text(json.dumps(content))
    assert len(read_labels(tmp_path).images) == len(IMAGES)


def test_an_empty_list_names_nothing(tmp_path):
    voc(tmp_path)
    _, parts = list_images(tmp_path, train='a\n', val='b.c\n', test='')
    assert parts == {'a': 'train', 'b.c': 'val'}


def test_a_part_of_a_name_behind_a_dot_is_no_ending(tmp_path):
    voc(tmp_path)
    (tmp_path / 'a.jpg').rename(tmp_path / '12.jpg')
    text = (tmp_path / 'a.xml').read_text(encoding='utf-8')
    for name in ('12', '12.5'):
        (tmp_path / f'{name}.xml').write_text(text.replace('a.jpg', f'{name}.jpg'), encoding='utf-8')
    (tmp_path / 'a.xml').unlink()
    labels, found = read(tmp_path)
    assert [str(each) for each in labels.problems] == [f"{tmp_path / '12.5.xml'}: there is no image '12.5.jpg'"]
    assert '12' in found


def test_a_list_names_the_images_that_share_their_names(tmp_path):
    for part in ('train', 'val'):
        save_images(tmp_path / 'images' / part, ['a'])
        content = dict(
            images=[dict(id=1, file_name='a.jpg')],
            categories=[dict(id=1, name='dog')],
            annotations=[dict(image_id=1, category_id=1, bbox=[1, 1, 20 + len(part), 9])],
        )
        (tmp_path / f'instances_{part}2017.json').write_text(json.dumps(content))
    images = read_labels(tmp_path).images
    assert {(each.part, each.path.parent.name, each.objects[0].box[2]) for each in images} == {
        ('train', 'train', 26),
        ('val', 'val', 24),
    }


def test_images_below_a_folder_of_a_part_are_of_it_wherever_their_labels_are(tmp_path):
    for form in ('voc', 'coco', 'cvat'):
        WRITERS[form](tmp_path / form)
        for number, image in enumerate(sorted((tmp_path / form).rglob('*.jpg'))):
            folder = tmp_path / form / 'pictures' / ('test2007' if number else 'train_images')
            folder.mkdir(parents=True, exist_ok=True)
            image.rename(folder / image.name)
        parts = {image.path.stem: image.part for image in read_labels(tmp_path / form).images}
        assert parts == dict.fromkeys(IMAGES, 'test') | {'a': 'train'}


def test_a_format_that_is_asked_for_is_the_only_one_that_is_looked_at(tmp_path):
    voc(tmp_path)
    (tmp_path / 'settings.json').write_text('{"a": 1, // by hand\n}')
    assert len(read_labels(tmp_path, 'voc').images) == 4


def test_hidden_files_and_those_of_another_folder_are_passed_over(tmp_path):
    voc(tmp_path)
    for folder in ('__MACOSX', '.ipynb_checkpoints', 'mine'):
        WRITERS['coco'](tmp_path / folder)
    assert len(read_labels(tmp_path, without=tmp_path / 'mine').images) == 4
    assert len(read_labels(tmp_path / 'mine', without=tmp_path).images) == 4


def test_an_image_whose_name_is_not_text_is_named_and_left_out(tmp_path):
    voc(tmp_path)
    os.rename(tmp_path / 'a.jpg', os.fsencode(tmp_path) + b'/caf\xe9.jpg')
    os.rename(tmp_path / 'a.xml', os.fsencode(tmp_path) + b'/caf\xe9.xml')
    labels, _ = read(tmp_path)
    assert any('its name is not UTF-8: give it another' in str(each).encode().decode() for each in labels.problems)
