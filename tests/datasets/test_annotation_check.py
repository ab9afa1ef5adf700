import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenext_det.datasets.annotation_check import check_objects, stated_size
from mobilenext_det.datasets.problems import Kind, Problem

LABELS = {'dog': 0, 'Cat': 1}
SIZE = (60, 40)
CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')


def annotation(*corners, name='dog', difficult='<difficult>0</difficult>') -> ET.Element:
    box = ''.join(f'<{key}>{value}</{key}>' for key, value in zip(CORNERS, corners, strict=True))
    return ET.fromstring(
        f'<annotation><object><name>{name}</name>{difficult}<bndbox>{box}</bndbox></object></annotation>'
    )


def check(root):
    return check_objects(root, 'a.xml', SIZE, LABELS)


def test_valid_box_is_read_one_less_in_all_corners():
    (found,), problems = check(annotation(1, 2, 60, 40))
    assert found.box == (0, 1, 59, 39)
    assert (found.label, found.difficult, problems) == (0, False, [])


def test_decimals_are_cut_as_mmdet_does():
    (found,), _ = check(annotation('10.9', ' 2.2 ', '20.99', '30.0'))
    assert found.box == (9, 1, 19, 29)


@pytest.mark.parametrize(
    ('corners', 'kind', 'words'),
    [
        ((5, 5, 5, 9), Kind.NO_AREA, 'the box [5, 5, 5, 9] has no area'),
        ((5, 9, 9, 9), Kind.NO_AREA, 'the box [5, 9, 9, 9] has no area'),
        ((9, 5, 5, 9), Kind.SWAPPED, 'the corners [9, 5, 5, 9] are swapped'),
        ((5, 9, 9, 5), Kind.SWAPPED, 'the corners [5, 9, 9, 5] are swapped'),
        ((70, 5, 90, 9), Kind.OUTSIDE, 'the box [70, 5, 90, 9] lies outside the image of 60 x 40'),
        ((-30, 5, -3, 9), Kind.OUTSIDE, 'the box [-30, 5, -3, 9] lies outside the image of 60 x 40'),
        ((60, 5, 62, 9), Kind.OUTSIDE, 'the box [60, 5, 62, 9] lies outside the image of 60 x 40'),
        (('nan', 5, 9, 9), Kind.NOT_A_NUMBER, "<xmin> is 'nan'"),
        ((5, 5, 'inf', 9), Kind.NOT_A_NUMBER, "<xmax> is 'inf'"),
        ((5, 5, 9, 'nine'), Kind.NOT_A_NUMBER, "<ymax> is 'nine'"),
        ((5, '', 9, 9), Kind.NOT_A_NUMBER, "<ymin> is ''"),
    ],
)
def test_bad_box_is_left_out_and_named(corners, kind, words):
    assert check(annotation(*corners)) == ([], [Problem(kind, 'a.xml', words, 1)])
    assert not kind.corrected


@pytest.mark.parametrize(
    ('corners', 'box', 'overhang'),
    [((0, 5, 9, 9), (0, 4, 8, 8), 1), ((5, -1, 9, 9), (4, 0, 8, 8), 2), ((5, 5, 62, 41), (4, 4, 59, 39), 2)],
)
def test_box_a_little_outside_is_clipped_and_counted(corners, box, overhang):
    (found,), problems = check(annotation(*corners))
    assert found.box == box
    assert problems == [Problem(Kind.CLIPPED, 'a.xml', f'the box leaves the image by {overhang} px', 1)]
    assert Kind.CLIPPED.corrected


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('Dog', "unknown class 'Dog' (did you mean 'dog'?)"),
        ('cat', "unknown class 'cat' (did you mean 'Cat'?)"),
        ('dogs', "unknown class 'dogs' (did you mean 'dog'?)"),
        ('horse', "unknown class 'horse'"),
    ],
)
def test_unknown_class_is_named_with_a_suggestion(name, words):
    assert check(annotation(1, 1, 9, 9, name=name)) == ([], [Problem(Kind.UNKNOWN_CLASS, 'a.xml', words, 1)])


def test_space_around_a_class_name_is_no_part_of_it():
    (found,), problems = check(annotation(1, 1, 9, 9, name='\n Cat '))
    assert (found.label, problems) == (1, [])


@pytest.mark.parametrize(
    ('difficult', 'flag', 'detail'),
    [
        ('<difficult>1</difficult>', True, None),
        ('', False, "<difficult> is ''"),
        ('<difficult/>', False, "<difficult> is ''"),
        ('<difficult>Unspecified</difficult>', False, "<difficult> is 'Unspecified'"),
    ],
)
def test_difficult(difficult, flag, detail):
    (found,), problems = check(annotation(1, 1, 9, 9, difficult=difficult))
    assert found.difficult is flag
    assert [problem.detail for problem in problems] == ([detail] if detail else [])


@pytest.mark.parametrize(
    ('inside', 'detail'),
    [
        ('<bndbox/>', 'it has no <name>'),
        ('<name>dog</name>', 'it has no <bndbox>'),
        ('<name>dog</name><bndbox><xmin>1</xmin></bndbox>', 'its <bndbox> has no <ymin>'),
    ],
)
def test_incomplete_object(inside, detail):
    root = ET.fromstring(f'<annotation><object>{inside}</object></annotation>')
    assert check(root) == ([], [Problem(Kind.INCOMPLETE, 'a.xml', detail, 1)])


def test_parts_of_an_object_are_no_objects_and_do_not_lend_it_a_box():
    root = annotation(1, 2, 9, 9)
    part = ET.fromstring('<part><name>head</name><bndbox><xmin>3</xmin></bndbox></part>')
    root.find('object').insert(0, part)
    (found,), problems = check(root)
    assert (found.box, problems) == ((0, 1, 8, 8), [])


def test_objects_are_numbered_from_one_over_the_whole_file():
    root = annotation(1, 1, 9, 9)
    root.extend(annotation(5, 5, 5, 5).findall('object') + annotation(2, 2, 9, 9, name='cow').findall('object'))
    objects, problems = check(root)
    assert len(objects) == 1
    assert [str(problem) for problem in problems] == [
        'a.xml, object 2: the box [5, 5, 5, 5] has no area',
        "a.xml, object 3: unknown class 'cow'",
    ]


@pytest.mark.parametrize(
    ('inside', 'size'),
    [
        ('<size><width>60</width><height>40</height></size>', (60, 40)),
        ('<size><width>0</width><height>0</height></size>', None),
        ('<size><width>60</width></size>', None),
        ('<size><width>wide</width><height>40</height></size>', None),
        ('', None),
    ],
)
def test_stated_size(inside, size):
    assert stated_size(ET.fromstring(f'<annotation>{inside}</annotation>')) == size


number = st.one_of(st.integers(-10, 80), st.floats(-10, 80), st.sampled_from(['nan', 'inf', '-inf', '1e400', 'x', '']))


@given(st.tuples(number, number, number, number))
def test_whatever_the_corners_a_box_read_has_an_area_inside_the_image(corners):
    objects, problems = check(annotation(*corners))
    assert len(objects) + sum(not problem.kind.corrected for problem in problems) == 1
    for found in objects:
        x1, y1, x2, y2 = found.box
        assert 0 <= x1 < x2 < SIZE[0]
        assert 0 <= y1 < y2 < SIZE[1]
