"""The priors against numpy, against MMDetection's own generator, and against the maps of a real network."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules.prior_generators import SSDAnchorGenerator

from mobilenext_det.errors import UsageError
from mobilenext_det.models import MobileNeXt, SSDLiteNeck, SSDLitePriorGenerator

MAPS = (20, 10, 5, 3, 2, 1)
MIN_SIZES = (45, 90, 135, 180, 225, 270)
MAX_SIZES = (120, 180, 220, 260, 300, 320)
PRESETS = {'120': (16, 32, 64, 120, 160, 320), '107': (16, 32, 64, 107, 160, 320)}
# Priors whose width or height is more than the image: the 3:1 boxes of the four 2x2 cells, and both shapes of the last.
CLAMPED = (3208, 3209, 3214, 3215, 3220, 3221, 3226, 3227, 3230, 3231, 3232, 3233)


def reference(size, maps, strides, clamp=True):
    """Loops in float64: (cx, cy, w, h) over the input's side, each clamped to [0, 1], then corners in pixels."""
    boxes = []
    for cells, stride, small, large in zip(maps, strides, MIN_SIZES, MAX_SIZES, strict=True):
        small, large = small / 320, large / 320
        shapes = [(small, small), (np.sqrt(small * large),) * 2]
        for ratio in (2, 3):
            long, short = small * np.sqrt(ratio), small / np.sqrt(ratio)
            shapes += [(long, short), (short, long)]
        for row in range(cells):
            for column in range(cells):
                boxes += [((column + 0.5) * stride / size, (row + 0.5) * stride / size, *shape) for shape in shapes]
    boxes = np.array(boxes)
    if clamp:
        boxes = boxes.clip(0, 1)
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1) * size


def all_priors(generator, maps=MAPS):
    return torch.cat(generator.grid_priors([(m, m) for m in maps], device='cpu'))


def sizes(boxes):
    return boxes[:, 2:] - boxes[:, :2]


@pytest.mark.parametrize('preset', PRESETS)
def test_all_boxes_at_320(preset):
    priors = all_priors(SSDLitePriorGenerator(strides=PRESETS[preset]))
    assert priors.shape == (3234, 4) and priors.dtype == torch.float32
    np.testing.assert_allclose(priors.numpy(), reference(320, MAPS, PRESETS[preset]), atol=1e-4, rtol=0)


def test_the_default_is_the_authors_preset():
    generator = SSDLitePriorGenerator()
    assert generator.strides == [(s, s) for s in PRESETS['120']]
    assert generator.num_base_priors == [6] * 6
    # The fourth level's centres, in pixels: 60, 180, 300.
    level = generator.grid_priors([(m, m) for m in MAPS], device='cpu')[3]
    assert sorted({round(x, 3) for x in ((level[:, 0] + level[:, 2]) / 2).tolist()}) == [60, 180, 300]


@pytest.mark.parametrize('preset', PRESETS)
def test_exactly_twelve_are_clamped(preset):
    """The clamp changes twelve widths or heights and no centre; everything else is MMDetection's own box."""
    stock = SSDAnchorGenerator(
        strides=list(PRESETS[preset]),
        ratios=[[2, 3]] * 6,
        min_sizes=list(MIN_SIZES),
        max_sizes=list(MAX_SIZES),
        scale_major=False,
    )
    unclamped, priors = all_priors(stock), all_priors(SSDLitePriorGenerator(strides=PRESETS[preset]))
    np.testing.assert_allclose(unclamped.numpy(), reference(320, MAPS, PRESETS[preset], clamp=False), atol=1e-4, rtol=0)
    changed = (priors - unclamped).abs().amax(1) > 1e-3
    assert tuple(changed.nonzero().flatten().tolist()) == CLAMPED
    torch.testing.assert_close(priors[~changed], unclamped[~changed], atol=1e-4, rtol=0)
    torch.testing.assert_close(priors[:, :2] + priors[:, 2:], unclamped[:, :2] + unclamped[:, 2:], atol=1e-3, rtol=0)
    torch.testing.assert_close(sizes(priors), sizes(unclamped).clamp(max=320), atol=1e-3, rtol=0)
    assert sizes(unclamped)[changed].amax(1).min() > 320


def test_clamped_boxes_in_numbers():
    priors = all_priors(SSDLitePriorGenerator())
    tall = 225 / 3**0.5
    torch.testing.assert_close(priors[3208], torch.tensor([-80, 80 - tall / 2, 240, 80 + tall / 2]))
    flat = 270 / 2**0.5
    torch.testing.assert_close(priors[3230], torch.tensor([0, 160 - flat / 2, 320, 160 + flat / 2]))
    assert priors.min() < 0 and priors.max() > 320  # corners may leave the image


def maps_of(size):
    """Sides of the six maps: five stride-2 convolutions (padding 1) to C5, of which four lead to C4, then four more."""
    sides = [size]
    while len(sides) < 10:
        sides.append((sides[-1] - 1) // 2 + 1)
    return sides[4:]


@pytest.fixture(scope='module')
def network():
    """Backbone and neck on the meta device: real shapes, nothing computed."""
    with torch.device('meta'):
        backbone = MobileNeXt(0.35, out_indices=(5, 7, 7), taps=('expansion', 'expansion', 'block'))
        neck = SSDLiteNeck([feature['channels'] for feature in backbone.feature_info])
    return torch.nn.Sequential(backbone, neck).eval()


@settings(max_examples=15, deadline=None)
@given(size=st.integers(160, 512))
def test_any_size_fits_the_networks_maps(size, network):
    maps = maps_of(size)
    levels = network(torch.empty(1, 3, size, size, device='meta'))
    assert [tuple(level.shape[2:]) for level in levels] == [(m, m) for m in maps]

    generator = SSDLitePriorGenerator(input_size=size)
    priors = all_priors(generator, maps)
    assert len(priors) == 6 * sum(m * m for m in maps)
    strides = PRESETS['120'] if size == 320 else [size / m for m in maps]
    np.testing.assert_allclose(priors.numpy(), reference(size, maps, strides), atol=2e-4, rtol=0)

    centres = (priors[:, :2] + priors[:, 2:]) / 2
    assert centres.min() > 0 and centres.max() < size
    if maps == list(MAPS):
        at_320 = all_priors(SSDLitePriorGenerator())
        torch.testing.assert_close(sizes(priors) / size, sizes(at_320) / 320, atol=1e-5, rtol=0)
    # MMDetection counts a prior only if its cell lies on the image: here all do.
    flags = generator.valid_flags([(m, m) for m in maps], (size, size), device='cpu')
    assert torch.cat(flags).all()


@pytest.mark.parametrize('size', [160, 192, 224, 256, 300, 320, 512])
def test_priors_cover_the_image_evenly(size):
    """The centres of a level lie symmetrically about the middle, first and last half a cell from the border."""
    maps = maps_of(size)
    levels = SSDLitePriorGenerator(input_size=size).grid_priors([(m, m) for m in maps], device='cpu')
    for index, (level, cells) in enumerate(zip(levels, maps, strict=True)):
        if size == 320 and index == 3:
            continue  # the authors' stride of 120 is the exception
        xs = ((level[:, 0] + level[:, 2]) / 2).unique()
        torch.testing.assert_close(xs.min() + xs.max(), torch.tensor(float(size)))
        assert xs.min().item() == pytest.approx(size / cells / 2)


@pytest.mark.parametrize('size', [(320, 192), (192, 320), (512, 288), (161, 300)])
def test_a_rectangle(size, network):
    """The same shares of the area as in a square, on the maps of a real network; cells reach from border to border."""
    width, height = size
    levels = network(torch.empty(1, 3, height, width, device='meta'))
    maps = [tuple(level.shape[2:]) for level in levels]
    assert maps == list(zip(maps_of(height), maps_of(width), strict=True))
    rows, side = [], (width * height) ** 0.5
    for (high, wide), small, large in zip(maps, MIN_SIZES, MAX_SIZES, strict=True):
        shapes = [(small, small), ((small * large) ** 0.5,) * 2]
        shapes += [(small * ratio**0.5, small / ratio**0.5) for ratio in (2, 1 / 2, 3, 1 / 3)]
        for row, column in np.ndindex(high, wide):
            for shape in shapes:
                w, h = (min(a * side / 320, limit) for a, limit in zip(shape, size, strict=True))
                x, y = (column + 0.5) * width / wide, (row + 0.5) * height / high
                rows.append((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    generator = SSDLitePriorGenerator(input_size=size)
    np.testing.assert_allclose(torch.cat(generator.grid_priors(maps)).numpy(), rows, atol=3e-4, rtol=0)
    assert str(list(size)) in repr(SSDLitePriorGenerator(input_size=list(size)))


def test_a_square_may_be_given_as_a_pair():
    one, other = SSDLitePriorGenerator(224), SSDLitePriorGenerator((224, 224))
    assert one.map_sizes == other.map_sizes
    torch.testing.assert_close(all_priors(one, maps_of(224)), all_priors(other, maps_of(224)), atol=0, rtol=0)


def test_maps_of_another_input_are_refused():
    generator = SSDLitePriorGenerator((320, 192))
    with pytest.raises(UsageError, match=r'input_size=\(320, 192\).* let Resize and input_size agree, and Pad what'):
        generator.grid_priors(SSDLitePriorGenerator(320).map_sizes)


@pytest.mark.parametrize('size', ['320', 320.0, None, (320,), (320, 192, 3), (320, 19.5)])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(UsageError, match=r'input_size must be one integer or \(width, height\), but is '):
        SSDLitePriorGenerator(input_size=size)


def test_other_types_and_devices():
    generator = SSDLitePriorGenerator()
    double = generator.single_level_grid_priors((2, 2), 4, dtype=torch.float64, device='cpu')
    assert double.dtype == torch.float64
    np.testing.assert_allclose(double, reference(320, MAPS, PRESETS['120'])[3204:3228], atol=1e-4, rtol=0)
    assert generator.single_level_grid_priors((2, 2), 4, device='meta').device.type == 'meta'


@pytest.mark.parametrize('size', [159, 32, (320, 96)])
def test_too_small(size):
    with pytest.raises(ValueError) as error:
        SSDLitePriorGenerator(input_size=size)
    assert str(error.value) == f'input_size must be 160 or more for six levels, but is {size}.'


def test_repr_names_the_arguments():
    """MMDetection's own raises AttributeError for such priors."""
    assert repr(SSDLitePriorGenerator(input_size=160, max_sizes=range(100, 700, 100))) == (
        'SSDLitePriorGenerator(input_size=160, strides=[16.0, 32.0, 53.333333333333336, 80.0, 160.0, 160.0], '
        'min_sizes=(45, 90, 135, 180, 225, 270), max_sizes=(100, 200, 300, 400, 500, 600), '
        'num_base_priors=[6, 6, 6, 6, 6, 6])'
    )
