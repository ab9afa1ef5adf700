"""The pipelines that are compared, and what is said about measured turns; the tool's test measures."""

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.pipeline import Turn, compare_pipeline, pipeline, report

OURS = [
    'SeedBySample',
    'CheckedLoadImage',
    'LoadAnnotations',
    'SSDPhotoMetricDistortion',
    'SSDExpand',
    'SSDRandomCrop',
    'Resize',
    'RandomFlip',
    'PackDetInputs',
]
STOCK = [
    'LoadImageFromFile',
    'LoadAnnotations',
    'PhotoMetricDistortion',
    'Expand',
    'MinIoURandomCrop',
    'Resize',
    'RandomFlip',
    'PackDetInputs',
]


def transforms(name, root):
    return pipeline(name, root).pipeline.transforms


def test_stock_has_its_own_classes_and_our_settings(toy_root):
    ours, stock = transforms('ours', toy_root), transforms('stock', toy_root)
    assert [type(transform).__name__ for transform in ours] == OURS
    assert [type(transform).__name__ for transform in stock] == STOCK
    assert all(type(transform).__module__.startswith(('mmdet.', 'mmcv.')) for transform in stock)
    distortion, other = ours[3], stock[2]
    for key in ('brightness_delta', 'contrast_lower', 'contrast_upper', 'saturation_lower', 'hue_delta'):
        assert getattr(distortion, key) == getattr(other, key)
    expand, other = ours[4], stock[3]
    assert tuple(expand.mean) == tuple(other.mean) == (104, 117, 123)
    assert (expand.prob, expand.min_ratio, expand.max_ratio) == (other.prob, other.min_ratio, other.max_ratio)
    assert stock[4].sample_mode == (1, 0.1, 0.3, 0.7, 0.9, 0)
    assert stock[5].scale == ours[6].scale == (320, 320)
    assert stock[6].prob == ours[7].prob == 0.5


def test_one_of_ours_decodes_every_time(toy_root):
    decoding, cached = (transforms(name, toy_root)[1] for name in ('ours', 'ours, cached'))
    assert decoding._cache is None
    assert cached._cache is not None


def test_turns_become_speeds():
    turns = {
        'stock': [
            Turn(10, {'LoadImageFromFile': 1, 'Resize': 1}, 800),
            Turn(10, {'LoadImageFromFile': 1, 'Resize': 4}, 900),
        ],
        'ours': [Turn(10, {'CheckedLoadImage': 0.5, 'Resize': 0.5}, 850)],
        'ours, cached': [Turn(10, {'CheckedLoadImage': 0, 'Resize': 0.5}, 950)],
    }
    before = {'stock': 700, 'ours': 700, 'ours, cached': 700}
    found = report(turns, before, [(500, 375), (375, 500), (500, 333)], 'data', 'here')
    rows = found.numbers['rows']
    assert [row['images_per_second'] for row in rows.values()] == pytest.approx([3.5, 10, 20])
    assert [row['ratio'] for row in rows.values()] == pytest.approx([1, 10 / 3.5, 20 / 3.5])
    assert rows['stock']['ms'] == pytest.approx({'LoadImageFromFile': 100, 'Resize': 250})
    assert [row['own_mib'] for row in rows.values()] == [200, 150, 250]
    assert (found.numbers['ours'], found.numbers['stock']) == (10, 3.5)
    assert '| CheckedLoadImage (LoadImageFromFile) |' in found.text
    assert '500x375 pixels in the median' in found.text


@pytest.mark.parametrize('option', ['images', 'rounds'])
def test_nothing_to_measure_is_refused(option, toy_root):
    with pytest.raises(UsageError, match=f'^--{option} 0 is too small'):
        compare_pipeline(toy_root, **{option: 0})


def test_a_picture_that_breaks_is_named(toy_root, tmp_path):
    """The data set checks pictures before; this one breaks after that."""
    from mobilenext_det.speed import pipeline as module

    module._dataset = pipeline('ours', toy_root)
    info = module._dataset.get_data_info(0)
    module._dataset.data_list = [dict(info, img_path=str(tmp_path / 'gone.jpg'))]
    module._dataset._fully_initialized, module._dataset.serialize_data = True, False
    with pytest.raises(UsageError, match=f'^{tmp_path}/gone.jpg cannot be used: take it out.$'):
        module._measure([0], 0)
