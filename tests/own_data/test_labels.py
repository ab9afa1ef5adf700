from collections import Counter

import pytest

from mobilenext_det.own_data.labels import likely_misspelt, part_of


@pytest.mark.parametrize(
    ('counts', 'meant'),
    [
        (dict(RBC=400, WBC=300, Platelets=300), {}),
        (dict(RBC=400, rbc=3), dict(rbc='RBC')),
        (dict(platelets=400, platelet=2), dict(platelet='platelets')),
        (dict(platelets=400, platelet=200), {}),
        (dict(cat=400, car=3), {}),
        (dict(pottedplant=8, pottedplants=1, plane=2), dict(pottedplants='pottedplant')),
        ({'traffic light': 9, 'Traffic_Light': 8}, {'Traffic_Light': 'traffic light'}),
        ({'speed limit 30': 90, 'speed limit 80': 3}, {}),
        (dict(левый=40, левй=1), dict(левй='левый')),
        (dict(cat=400, dog=3), {}),
        ({}, {}),
    ],
)
def test_rare_names_that_look_like_frequent_ones_are_suspected(counts, meant):
    assert likely_misspelt(Counter(counts)) == meant


@pytest.mark.parametrize(
    ('names', 'part'),
    [
        (['data', 'train', 'images'], 'train'),
        (['instances', 'Val'], 'val'),
        (['test', 'valid'], 'val'),
        (['mine'], None),
        (['train2017'], 'train'),
        (['obj_Validation_data'], 'val'),
        (['test images'], 'test'),
        (['train_val'], None),
        (['trainval'], None),
        (['train', 'station'], 'train'),
        (['train_station'], None),
        (['test1'], None),
        ([], None),
    ],
)
def test_folders_name_the_part(names, part):
    assert part_of(names) == part
