"""Ground truth read from VOC folders, and a clear sentence for each way such a folder can be wrong."""

import pytest

from mobilenext_det.errors import BadDataError
from mobilenext_det.evaluation.voc_files import VOC_CLASSES, read_ground_truth


def test_reads_objects_zero_based_with_difficult_ones_last(voc):
    truth = read_ground_truth(voc.root, 'test')
    assert truth.classes == VOC_CLASSES and truth.left_out == []
    assert truth.image_ids == ['000001', '000002']
    assert truth.image_paths[1] == str(voc.root / 'JPEGImages/000002.jpg')
    objects = truth.objects
    assert [VOC_CLASSES[label] for label in objects.label] == ['dog', 'cat', 'dog', 'cat', 'dog']
    assert objects.image.tolist() == [0, 0, 1, 1, 1]
    assert objects.difficult.tolist() == [False, False, False, False, True]
    assert objects.boxes[0].tolist() == [10, 10, 49, 49]


def test_boxes_that_leave_the_image_are_clipped_and_counted(voc):
    voc.annotate(
        '000001',
        *(('dog', 0, 7, 8, 7, 8), ('dog', 0, 150.5, 1, 170, 20), ('dog', 0, 0, 1, 9, 9), ('dog', 0, 165, 1, 170, 9)),
    )
    truth = read_ground_truth(voc.root, 'test')
    expected = [[6, 7, 6, 7], [149.5, 0, 159, 19], [0, 0, 8, 8]]
    assert truth.objects.boxes[:3].tolist() == expected
    assert truth.problems == {'OVERHANG': 1, 'CLIPPED': 1, 'OUTSIDE': 1}
    for path in (voc.root / 'JPEGImages').iterdir():
        path.unlink()  # the annotation's own size is taken, then
    assert read_ground_truth(voc.root, 'test').objects.boxes[:3].tolist() == expected


def test_needs_no_images_and_no_difficult_flag(voc):
    for path in (voc.root / 'JPEGImages').iterdir():
        path.unlink()
    xml = voc.root / 'Annotations/000001.xml'
    xml.write_text(xml.read_text().replace('<difficult>0</difficult>', ''))
    truth = read_ground_truth(voc.root, 'test')
    assert truth.image_paths == ['', ''] and truth.objects.difficult.sum() == 1


def test_classes_of_ones_own(voc):
    assert read_ground_truth(voc.root, 'test', ['cat']).left_out == [name for name in VOC_CLASSES if name != 'cat']
    voc.annotate('000001', ('Zebra', 0, 11, 11, 50, 50))
    truth = read_ground_truth(voc.root, 'test')
    assert truth.classes == ('Zebra', 'cat', 'dog')
    truth = read_ground_truth(voc.root, 'test', ['dog', 'Zebra'])
    assert (truth.classes, truth.left_out, truth.objects.label.tolist()) == (('dog', 'Zebra'), ['cat'], [1, 0, 0])
    with pytest.raises(BadDataError, match=r"Class 'zebra' is not among those of .*test.txt: Zebra, cat, dog\."):
        read_ground_truth(voc.root, 'test', ['zebra'])


def replace_in_xml(voc, old, new):
    path = voc.root / 'Annotations/000002.xml'
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ('old', 'new', 'sentence'),
    [
        ('</annotation>', '', r'000002\.xml is no XML: no element found: line 1'),
        ('<name>dog</name>', '', r'000002\.xml, object 1 has no <name>\.'),
        (
            '<xmin>101</xmin>',
            '',
            r"000002\.xml, object 2 \(dog\): the box \['missing', '61', '150', '110'\] is not four",
        ),
        ('<xmin>101', '<xmin>abc', r"object 2 \(dog\): the box \['abc', '61', '150', '110'\] is not four numbers"),
        ('<xmin>101', '<xmin>nan', r'object 2 \(dog\): the box .* is inverted or not finite'),
        ('<xmin>101', '<xmin>151', r'object 2 \(dog\): the box .* is inverted or not finite'),
        ('<difficult>1', '<difficult>yes', r"object 1 \(dog\): <difficult> is 'yes', not 0 or 1"),
    ],
)
def test_bad_annotations(voc, old, new, sentence):
    replace_in_xml(voc, old, new)
    with pytest.raises(BadDataError, match=sentence):
        read_ground_truth(voc.root, 'test')


def test_bad_splits(voc):
    with pytest.raises(BadDataError, match=r'There is no split file .*val\.txt; splits there: test\.'):
        read_ground_truth(voc.root, 'val')
    voc.split('000001', '000009')
    with pytest.raises(BadDataError, match=r'test\.txt names 000009, but there is no .*000009\.xml'):
        read_ground_truth(voc.root, 'test')
    voc.split('000001', '000002', '000001')
    truth = read_ground_truth(voc.root, 'test')
    assert (truth.image_ids, truth.problems) == (['000001', '000002'], {'TWICE': 1})
    voc.split()
    with pytest.raises(BadDataError, match='is empty; it must name one image a line'):
        read_ground_truth(voc.root, 'test')
