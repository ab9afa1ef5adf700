from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenext_det.errors import BadDataError
from mobilenext_det.own_data.labels import LabelledImage, LabelledObject
from mobilenext_det.own_data.split import split


def image(number, names, part=None):
    objects = [LabelledObject(name, (0, 0, 9, 9)) for name in names]
    return LabelledImage(Path(f'{number}.jpg'), (10, 10), objects, part)


def share_of(parts, name):
    counts = {part: sum(each.name == name for i in images for each in i.objects) for part, images in parts.items()}
    return counts['val'] / sum(counts.values())


@given(st.lists(st.lists(st.sampled_from('abcde'), max_size=4), min_size=2, max_size=40), st.integers(0, 9))
def test_every_image_is_in_one_part_and_both_have_objects(names, seed):
    images = [image(number, each) for number, each in enumerate(names)]
    if sum(bool(each) for each in names) < 2:
        with pytest.raises(BadDataError, match='label two images or more'):
            split(images, seed=seed)
        return
    parts = split(images, seed=seed)
    assert sorted(i.path.name for part in parts.values() for i in part) == sorted(i.path.name for i in images)
    assert all(any(i.objects for i in part) for part in parts.values())
    assert parts == split(images, seed=seed)


def test_every_class_gives_its_share_and_so_do_images_of_the_background():
    images = [image(n, ['common'] * (1 + n % 3) + ['rare'] * (n % 20 == 0)) for n in range(200)]
    images += [image(1000 + n, []) for n in range(20)]
    parts = split(images, share=0.2)
    assert share_of(parts, 'common') == pytest.approx(0.2, abs=0.02)
    assert share_of(parts, 'rare') == pytest.approx(0.2, abs=0.01)
    assert sum(not i.objects for i in parts['val']) == 4
    assert [i.path for i in parts['val']] != [i.path for i in split(images, seed=1)['val']]


def test_what_the_data_says_counts():
    images = [image(n, ['a'], 'test' if n < 3 else 'val' if n < 5 else None) for n in range(9)]
    parts = split(images)
    assert {part: [int(i.path.stem) for i in its] for part, its in parts.items()} == dict(
        train=[5, 6, 7, 8], val=[3, 4], test=[0, 1, 2]
    )
    without_val = split([i for i in images if i.part != 'val'])
    assert [int(i.path.stem) for i in without_val['test']] == [0, 1, 2]
    assert len(without_val['val']) == 1


def test_what_is_difficult_teaches_nothing():
    hard = replace(image(0, ['a']), objects=[LabelledObject('a', (0, 0, 9, 9), difficult=True)])
    with pytest.raises(BadDataError, match=r'2 images are usable \(1 to train on, 1 to validate on, 0 to test on\)'):
        split([hard, image(1, ['a'], 'val')])
    assert image(1, ['a']) in split([hard, image(1, ['a']), image(2, ['a'])])['train']
