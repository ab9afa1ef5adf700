"""The pipelines that are compared, and what is said about measured turns; the tool's test measures."""

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.pipeline import Measured, compare_pipeline, open_pipeline, report, time_item

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
    return open_pipeline(name, root).pipeline.transforms


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
    decoding, cached = (transforms(name, toy_root)[1] for name in ('ours', 'cached'))
    assert decoding._cache is None
    assert cached._cache is not None


def turn(**seconds):
    return [seconds] * 10


def test_turns_become_speeds():
    stock = [turn(LoadImageFromFile=0.1, Resize=0.1), turn(LoadImageFromFile=0.1, Resize=0.4)]
    measured = {
        'stock': Measured(stock, 700, 900),
        'ours': Measured([turn(CheckedLoadImage=0.05, Resize=0.05)], 700, 850),
        'cached': Measured([turn(CheckedLoadImage=0, Resize=0.05)], 700, 950),
    }
    found = report(measured, [(500, 375), (375, 500), (500, 333)], 'data', 'here')
    rows = found.rows
    assert [row.images_per_second for row in rows.values()] == pytest.approx([3.5, 10, 20])
    assert [row.ratio for row in rows.values()] == pytest.approx([1, 10 / 3.5, 20 / 3.5])
    assert rows['stock'].ms == pytest.approx({'LoadImageFromFile': 100, 'Resize': 250})
    assert [row.own_mib for row in rows.values()] == [200, 150, 250]
    assert (found.ours, found.stock) == pytest.approx((10, 3.5))
    assert '| CheckedLoadImage (LoadImageFromFile) |' in found.text
    assert '500x375 pixels in the median' in found.text


@pytest.mark.parametrize('option', ['images', 'rounds'])
def test_nothing_to_measure_is_refused(option, toy_root):
    with pytest.raises(UsageError, match=f'^--{option} 0 is too small'):
        compare_pipeline(toy_root, **{option: 0})


def test_a_picture_that_breaks_is_named(toy_root, tmp_path):
    """The data set checks pictures before; this one breaks after that."""
    dataset = open_pipeline('ours', toy_root)
    info = dataset.get_data_info(0)
    (tmp_path / 'another.jpg').touch()  # of an empty folder the machine would be suspected
    dataset.data_list = [dict(info, img_path=str(tmp_path / 'gone.jpg'))]
    dataset._fully_initialized, dataset.serialize_data = True, False
    with pytest.raises(UsageError, match=f'^{tmp_path}/gone.jpg cannot be used: take it out.$'):
        time_item(dataset, 0, seed=0)
