import json
from pathlib import Path

import pytest

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
