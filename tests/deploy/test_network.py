from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mobilenext_det.deploy.network import ExportableNetwork
from mobilenext_det.deploy.runtime import Fit
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector
from tests.fixtures.shipped import TOY_DETECTOR

SQUARE = Fit(192, 192)

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'ssdlite_mobilenext_toy.py'
SAME_MEANS = ['model.data_preprocessor.mean=[120,120,120]', 'model.data_preprocessor.std=[57,57,57]']


@pytest.fixture(scope='module')
def batch(scenes):
    return torch.from_numpy(np.stack([SQUARE.prepare(scene) for scene in scenes]))


def reference(detector, batch):
    """Candidates and probabilities by MMDetection's own preprocessor and box coder."""
    model, head = detector.model, detector.model.bbox_head
    packed = model.data_preprocessor(dict(inputs=[image.permute(2, 0, 1).flip(0) for image in batch]))
    with torch.no_grad():
        scores, deltas = model._forward(packed['inputs'])
    scores = torch.cat([s.permute(0, 2, 3, 1).reshape(len(batch), -1, 21) for s in scores], 1).softmax(-1)
    deltas = torch.cat([d.permute(0, 2, 3, 1).reshape(len(batch), -1, 4) for d in deltas], 1)
    priors = torch.cat(head.prior_generator.grid_priors([(side, side) for side in (12, 6, 3, 2, 1, 1)]))
    return torch.stack([head.bbox_coder.decode(priors, d) for d in deltas]) / 192, scores[..., :-1]


def test_candidates_and_probabilities_are_those_of_mmdetection(trained, network, batch):
    candidates, probabilities = network(batch)
    expected_candidates, expected_probabilities = reference(trained, batch)
    assert candidates.shape == (len(batch), 1170, 4)
    assert probabilities.shape == (len(batch), 1170, 20)
    torch.testing.assert_close(candidates, expected_candidates, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(probabilities, expected_probabilities, atol=2e-5, rtol=1e-4)


def test_batch_norm_is_folded_and_the_detector_stays_as_it_was(trained, network):
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert all(weight.is_contiguous() for weight in network.parameters())
    wide = [weight for weight in trained.model.parameters() if weight.ndim == 4 and min(weight.shape) > 1]
    assert wide
    assert not any(weight.is_contiguous() for weight in wide if weight.shape[2] > 1)
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_description_is_what_a_program_needs(trained, network):
    assert network.description == {
        'classes': list(trained.classes),
        'input_size': 192,
        'padding': None,
        'float_input': False,
        'score_threshold': 0.01,
        'iou_threshold': 0.45,
        'max_detections': 100,
    }


def test_a_network_of_bgr_pictures_gets_them(batch):
    model = 'model.data_preprocessor'
    rgb, bgr = (
        ExportableNetwork(Detector(load_config(CONFIG, [f'{model}.bgr_to_rgb={flag}', *SAME_MEANS]), TOY_DETECTOR))
        for flag in (True, False)
    )
    torch.testing.assert_close(bgr.eval()(batch)[1], rgb.eval()(batch.flip(3))[1])
    assert (bgr(batch)[1] - rgb(batch)[1]).abs().max() > 0.01


def test_another_box_coder_is_refused():
    coder = 'model.bbox_head.bbox_coder.type=LegacyDeltaXYWHBBoxCoder'
    detector = Detector(load_config(CONFIG, [coder]), TOY_DETECTOR)
    with pytest.raises(UsageError, match=r'toy.py: only SSDLiteHead .* SSDLiteHead and LegacyDeltaXYWHBBoxCoder'):
        ExportableNetwork(detector)
