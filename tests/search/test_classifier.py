"""What a genotype is trained in: the auxiliary head's loss, drop path over time, what is predicted without both."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from mmdet.registry import MODELS

import mobilenext_det  # noqa: F401
from mobilenext_det.search.classifier import DropPathHook


@pytest.fixture
def classifier(every_operation):
    torch.manual_seed(0)
    backbone = dict(type='SearchedNetwork', genotype=every_operation.as_dict(), channels=4, cells=3)
    return MODELS.build(
        dict(
            type='SearchedClassifier', backbone=backbone, num_classes=5, dropout=0, auxiliary_weight=0.4, init_cfg=None
        )
    )


def test_the_auxiliary_head_reads_the_second_reduction_and_adds_its_loss(classifier):
    classifier.eval()
    images, labels = torch.randn(3, 3, 32, 32), torch.tensor([0, 4, 2])
    losses = classifier(images, labels, mode='loss')
    outputs = list(classifier.backbone.outputs(images))
    assert outputs[2].shape == (3, 64, 8, 8)
    scores = classifier.auxiliary(outputs[2])
    smoothing = classifier.label_smoothing
    expected = 0.4 * F.cross_entropy(scores, labels, label_smoothing=smoothing)
    torch.testing.assert_close(losses['auxiliary_loss'], expected)
    main = F.cross_entropy(classifier(images), labels, label_smoothing=smoothing)
    torch.testing.assert_close(losses['loss'], main)


def test_drop_path_grows_with_the_iteration_alone(classifier):
    hook = DropPathHook(last=0.3)
    for iteration, share in ((0, 0.0), (50, 0.15), (10, 0.03)):
        hook.before_train_iter(SimpleNamespace(model=classifier, iter=iteration, max_iters=100), 0)
        found = [module.drop_prob for module in classifier.modules() if isinstance(module, DropPath)]
        assert found == [pytest.approx(share)] * 3
