"""Every way to fit a picture to the network's input is done by exported files as MMDetection does it, or refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mobilenext_det.datasets.toy_voc import make_toy_voc
from mobilenext_det.deploy.agreement import agreement
from mobilenext_det.deploy.evaluate import evaluate_exported
from mobilenext_det.deploy.fit import find_fit
from mobilenext_det.deploy.formats import Options, open_exported, write_exported
from mobilenext_det.deploy.runtime import Fit
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.evaluate import evaluate
from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector
from tests.fixtures.shipped import TOY_DETECTOR

ROOT = Path(__file__).parents[2]
STRETCH = dict(type='Resize', scale=(192, 192), keep_ratio=False)
KEEP = dict(type='Resize', scale=(192, 192), keep_ratio=True)
PAD = dict(type='Pad', size=(192, 192), pad_val=dict(img=(104, 117, 123)))
PREPROCESSOR = 'model.data_preprocessor.'


def make_detector(steps=(STRETCH,), options=(), loader=None, root='none'):
    """The toy detector, its pictures fitted by these transforms."""
    config = load_config(
        ROOT / 'configs' / 'ssdlite_mobilenext_toy.py',
        [*options, 'test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False'],
        root,
    )
    old = config.test_dataloader.dataset.pipeline
    config.test_dataloader.dataset.pipeline = [old[0] | (loader or {}), *steps, *old[2:]]
    return Detector(config, TOY_DETECTOR)


@pytest.fixture(scope='module')
def wide(scenes):
    """Pictures twice as wide as high, and one that is high."""
    pairs = [
        np.hstack([one, cv2.resize(other, one.shape[1::-1])])
        for one, other in zip(scenes[:-1], scenes[1:], strict=True)
    ]
    return [*pairs, np.vstack([scenes[0], scenes[0]])]


@pytest.mark.parametrize(
    ('steps', 'options', 'wanted'),
    [
        ([STRETCH], [], Fit(192, 192)),
        ([dict(STRETCH, type='FixScaleResize')], [], Fit(192, 192)),
        ([KEEP, PAD], [], Fit(192, 192, (123, 117, 104))),
        ([KEEP, PAD], [PREPROCESSOR + 'bgr_to_rgb=False'], Fit(192, 192, (123, 117, 104))),
        ([KEEP, PAD], [PREPROCESSOR + 'mean=[0.5]', PREPROCESSOR + 'std=[200]'], Fit(192, 192, (123, 117, 104))),
        ([KEEP, dict(PAD, pad_val=114)], [], Fit(192, 192, (114, 114, 114))),
        ([KEEP, dict(type='Pad', pad_to_square=True)], [], Fit(192, 192, (0, 0, 0))),
        ([KEEP], [PREPROCESSOR + 'pad_size_divisor=192'], Fit(192, 192, (123, 117, 104))),
        ([STRETCH], ['input_size=(320,192)'], 'stretched to 320x192'),
        (
            [dict(type='FixShapeResize', width=320, height=192, keep_ratio=True)],
            ['input_size=(320,192)'],
            Fit(320, 192, (0, 0, 0)),
        ),
    ],
)
def test_a_fit_is_found(steps, options, wanted):
    if wanted == 'stretched to 320x192':
        steps, wanted = [dict(STRETCH, scale=(320, 192))], Fit(320, 192)
    assert find_fit(make_detector(steps, options)) == wanted


@pytest.mark.parametrize(
    ('steps', 'loader', 'reason'),
    [
        ([KEEP], {}, r'gives pictures of 96x192 and .* but the priors are for 192x192'),
        ([dict(type='Resize', scale_factor=0.5, keep_ratio=True)], {}, 'gives pictures of'),
        ([dict(STRETCH, scale=(320, 192))], {}, 'gives pictures of 320x192 pixels, but the priors are for 192x192'),
        ([dict(STRETCH, interpolation='nearest')], {}, 'in a way that exported files cannot'),
        ([dict(STRETCH, backend='pillow')], {}, 'in a way that exported files cannot'),
        ([dict(STRETCH, scale=(256, 256)), dict(type='CenterCrop', crop_size=192)], {}, 'exported files cannot'),
        ([KEEP, dict(PAD, padding_mode='reflect')], {}, 'in a way that exported files cannot'),
        ([STRETCH, dict(type='RandomFlip', prob=1.0)], {}, r'Resize, RandomFlip, .*\) prepares pictures in a way'),
        ([STRETCH, dict(type='RandomFlip', prob=0.5)], {}, 'in a way that exported files cannot'),
        ([STRETCH], dict(to_float32=True), 'in a way that exported files cannot'),
        ([STRETCH], dict(color_type='grayscale'), 'in a way that exported files cannot'),
        ([dict(type='Pad', size=(192, 192)), STRETCH], {}, 'in a way that exported files cannot|ends in'),
    ],
)
def test_what_cannot_be_done_is_refused(steps, loader, reason):
    with pytest.raises(UsageError, match=rf'ssdlite_mobilenext_toy.py: the test pipeline \(.*{reason}'):
        find_fit(make_detector(steps, loader=loader))


@pytest.mark.parametrize(
    ('steps', 'options', 'form'),
    [
        ([KEEP, PAD], Options(), 'torchscript'),
        ([KEEP, PAD], Options(float_input=True), 'torchscript'),
        ([dict(STRETCH, scale=(320, 192))], Options(), 'torchscript'),
        ([dict(STRETCH, scale=(320, 192))], Options(float_input=True, opset=12, batch=4), 'onnx'),
        ([dict(STRETCH, scale=(320, 192))], Options(), 'executorch'),
    ],
)
def test_the_file_detects_what_the_checkpoint_detects(steps, options, form, wide, tmp_path):
    detector = make_detector(steps, [f'input_size={steps[0]["scale"]}'.replace(' ', '')])
    exported = open_exported(write_exported(detector, tmp_path, form, options))
    compared = agreement(detector, exported, wide)
    assert compared.equal
    assert compared.detections > 30
    assert exported.detect(wide) == [exported(picture) for picture in wide]


def test_a_letterboxed_file_is_judged_as_its_checkpoint_and_not_by_another_pipeline(tmp_path):
    make_toy_voc(tmp_path / 'toy', trainval=1, test=20, workers=1)
    letterboxed, stretched = (make_detector(steps, root=tmp_path / 'toy') for steps in ([KEEP, PAD], [STRETCH]))
    path = write_exported(letterboxed, tmp_path, 'torchscript')
    wanted = evaluate(letterboxed.config, TOY_DETECTOR, work_dir=tmp_path / 'work').scores
    found = evaluate_exported(letterboxed.config, path, work_dir=tmp_path / 'work').scores
    assert found['voc/mAP_area'] == pytest.approx(wanted['voc/mAP_area'], abs=1e-3)
    assert found['voc/mAP_area'] > 0.2
    with pytest.raises(
        UsageError, match=r'made for pictures of 192x192 pixels, at the top left, padded with RGB \(123'
    ):
        evaluate_exported(stretched.config, path, work_dir=tmp_path / 'work')
    stretched.config.test_dataloader.dataset.metainfo = dict(classes=letterboxed.classes[::-1])
    with pytest.raises(UsageError, match=r'The classes of the test.* same names in another order|another order'):
        evaluate_exported(stretched.config, path, work_dir=tmp_path / 'work')
