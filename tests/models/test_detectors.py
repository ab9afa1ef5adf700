"""Whole detectors: SSDLite's published totals, one step at any size, and the backbone under other people's heads."""

import copy
from pathlib import Path

import mmdet
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict
from mmengine.model import convert_sync_batchnorm
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData
from torch import nn

SHIPPED = Path(mmdet.__file__).parent / '.mim' / 'configs'
MOBILENEXT = dict(type='MobileNeXt', out_indices=(5, 7, 7), taps=('expansion', 'expansion', 'block'))
MOBILENETV2 = dict(type='TappedMobileNetV2', tap='block')
MOBILENETV2_EXPANSION = dict(type='TappedMobileNetV2', tap='expansion')
EXTRA_DEPTHWISE = dict(block='extra_depthwise')

# Backbone, classes: parameters and multiply-adds at 320 of backbone, neck and head, as printed.
PARTS = [
    (MOBILENEXT, 20, (2254416, 700672, 521220), (632780800, 13005824, 62939904)),
    (MOBILENETV2, 20, (2223872, 774016, 428100), (611212800, 40560768, 30674304)),
    (MOBILENETV2_EXPANSION, 20, (2223872, 774016, 511620), (611212800, 40560768, 62930304)),
    (MOBILENETV2 | EXTRA_DEPTHWISE, 20, (2302368, 774016, 428100), (679929600, 40560768, 30674304)),
    (MOBILENETV2_EXPANSION | EXTRA_DEPTHWISE, 20, (2302368, 774016, 511620), (679929600, 40560768, 62930304)),
]
# The same, whole; COCO has 80 classes.
TOTALS = [
    (MOBILENEXT, 20, 3476308, 708726528),
    (MOBILENETV2, 20, 3425988, 682447872),
    (MOBILENETV2_EXPANSION, 20, 3509508, 714703872),
    (MOBILENEXT, 80, 4561348, 843602688),
    (MOBILENETV2, 80, 4315188, 748180992),
]


def name(value):
    """A test's name from its backbone and classes; the numbers need none."""
    if isinstance(value, dict):
        return f'{value["type"]}-{value.get("tap", "expansion")}'
    return '' if isinstance(value, tuple) or value > 1000 else str(value)


def batch(size, classes, objects=(3, 1), seed=0):
    """Images (3, size, size) of noise and their objects, as a data loader gives them."""
    rng = np.random.default_rng(seed)
    inputs, samples = [], []
    for count in objects:
        low = rng.uniform(0, size / 2, (count, 2))
        boxes = np.concatenate([low, low + rng.uniform(size / 8, size / 2, (count, 2))], axis=1)
        labels = torch.from_numpy(rng.integers(0, classes, count))
        sample = DetDataSample(
            metainfo=dict(img_shape=(size, size), ori_shape=(2 * size, 3 * size), scale_factor=(1 / 3, 1 / 2), img_id=0)
        )
        sample.gt_instances = InstanceData(bboxes=torch.from_numpy(boxes).float().reshape(-1, 4), labels=labels)
        inputs.append(torch.from_numpy(rng.integers(0, 256, (3, size, size), dtype=np.uint8)))
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def step(model, data):
    """One training step; return its losses, and by how much each convolution moved."""
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4))
    losses = model.train().train_step(copy.deepcopy(data), optimizer)
    moved = {name: (p.detach() - before[name]).abs().max().item() for name, p in model.named_parameters()}
    return losses, moved


@torch.no_grad()
def detect(model, data):
    """Detections of every image, as testing gives them."""
    return [sample.pred_instances for sample in model.eval().test_step(copy.deepcopy(data))]


def assert_trains_and_predicts(model, data, classes):
    torch.manual_seed(0)
    model.init_weights()
    losses, moved = step(model, data)
    assert losses and all(torch.isfinite(loss) for loss in losses.values())
    assert losses['loss'] > 0
    assert all(np.isfinite(list(moved.values()))) and min(moved[n] for n in moved if 'stem.conv.weight' in n) > 0
    assert all(torch.isfinite(p).all() for p in model.parameters())
    results = detect(model, data)
    assert len(results) == len(data['inputs'])
    for result in results:
        assert len(result) > 0
        assert result.bboxes.shape == (len(result), 4)
        assert torch.isfinite(result.bboxes).all() and torch.isfinite(result.scores).all()
        assert ((result.labels >= 0) & (result.labels < classes)).all()
    return results


# SSDLite


@pytest.mark.parametrize(('backbone', 'classes', 'params', 'madds'), PARTS, ids=name)
def test_counts_per_part(backbone, classes, params, madds, tools):
    with torch.device('meta'):
        model = tools.build_ssdlite(backbone, classes)
    parts = dict(backbone=model.backbone, neck=model.neck, head=model.bbox_head)
    assert tuple(tools.count_params(part) for part in parts.values()) == params
    assert tuple(tools.count_madds(model, 320, parts).values()) == madds


@pytest.mark.parametrize(('backbone', 'classes', 'params', 'madds'), TOTALS, ids=name)
def test_counts(backbone, classes, params, madds, tools):
    with torch.device('meta'):
        model = tools.build_ssdlite(backbone, classes)
    assert tools.count_params(model) == params
    assert tools.count_madds(model, 320) == madds
    scores, deltas = model.eval()(torch.empty(1, 3, 320, 320, device='meta'), mode='tensor')
    assert sum(s.numel() for s in scores) == 3234 * (classes + 1)
    assert sum(d.numel() for d in deltas) == 3234 * 4


@pytest.mark.parametrize('size', [160, 192, 224, 256, 300, 320, 512])
def test_any_input_size(size, tools):
    model = tools.build_ssdlite(MOBILENEXT | dict(widen_factor=0.35), num_classes=2, input_size=size)
    results = assert_trains_and_predicts(model, batch(size, 2), classes=2)
    assert all(len(result) <= 100 for result in results)
    # Boxes come back in the pixels of the original image, 3 by 2 inputs large.
    assert max(result.bboxes[:, 2].max() for result in results) > 2 * size


@pytest.mark.parametrize('backbone', [MOBILENETV2, MOBILENETV2_EXPANSION], ids=['block', 'expansion'])
def test_mobilenetv2_trains_and_predicts(backbone, tools):
    model = tools.build_ssdlite(backbone | dict(widen_factor=0.35), num_classes=2, input_size=160)
    torch.manual_seed(0)
    model.init_weights()
    losses, moved = step(model, batch(160, 2))
    assert torch.isfinite(losses['loss']) and moved['backbone.conv1.conv.weight'] > 0
    assert all(len(result) for result in detect(model, batch(160, 2)))


def test_a_batch_without_objects(tools):
    """It teaches what is background, no box is learned, and the weights stay finite."""
    model = tools.build_ssdlite(MOBILENEXT | dict(widen_factor=0.35), num_classes=2, input_size=160)
    losses, _ = step(model, batch(160, 2, objects=(0, 0)))
    assert losses['loss_bbox'] == 0 < losses['loss_cls']
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_it_learns(tools):
    """Ten steps on one batch: the loss falls by a third and more."""
    torch.manual_seed(0)
    model = tools.build_ssdlite(MOBILENEXT | dict(widen_factor=0.35), num_classes=2, input_size=160)
    model.init_weights()
    data = batch(160, 2, objects=(1, 1))
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9))
    losses = [model.train().train_step(copy.deepcopy(data), optimizer)['loss'].item() for _ in range(10)]
    assert losses[-1] < losses[0] * 2 / 3


def test_frozen_backbone_of_a_detector(tools):
    """Fine-tuning with the backbone frozen moves neck and head only, weights and statistics."""
    model = tools.build_ssdlite(
        MOBILENEXT | dict(widen_factor=0.35, frozen_stages=7, norm_eval=True), num_classes=2, input_size=160
    )
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    _, moved = step(model, batch(160, 2))
    assert {name.split('.')[0] for name in moved if moved[name] > 0} == {'neck', 'bbox_head'}
    changed = {name.split('.')[0] for name, buffer in model.named_buffers() if not torch.equal(buffer, before[name])}
    assert changed == {'neck', 'bbox_head'}


def test_autocast_to_bfloat16(tools):
    backbone = MOBILENEXT | dict(widen_factor=0.35, conv_cfg=dict(type='AutocastConv2d'))
    model = tools.build_ssdlite(backbone, num_classes=2, input_size=160)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert_trains_and_predicts(model, batch(160, 2), classes=2)


@pytest.mark.parametrize('backbone', [MOBILENEXT, MOBILENETV2], ids=['MobileNeXt', 'MobileNetV2'])
@pytest.mark.parametrize('convert', [nn.SyncBatchNorm.convert_sync_batchnorm, convert_sync_batchnorm])
def test_sync_batch_norm(backbone, convert, tools):
    """Conversion, as for several GPUs, leaves no batch norm behind and computes the same on one."""
    model = tools.build_ssdlite(backbone | dict(widen_factor=0.35), num_classes=2, input_size=160).eval()
    x = torch.rand(1, 3, 160, 160)
    expected = model(x, mode='tensor')
    model = convert(model).eval()
    assert {type(m) for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)} == {nn.SyncBatchNorm}
    torch.testing.assert_close(model(x, mode='tensor'), expected)


def test_a_detector_reads_its_backbone_from_a_file(tools, tmp_path):
    backbone = MOBILENEXT | dict(widen_factor=0.35)
    source = tools.build_ssdlite(backbone, num_classes=2, input_size=160)
    source.init_weights()
    file = tmp_path / 'detector.pth'
    torch.save(dict(state_dict=source.state_dict()), file)
    pretrained = dict(type='Pretrained', checkpoint=str(file), prefix='backbone.')
    model = tools.build_ssdlite(backbone | dict(init_cfg=pretrained), num_classes=20, input_size=160)
    model.init_weights()
    for name, value in model.backbone.state_dict().items():
        assert torch.equal(value, source.backbone.state_dict()[name]), name


# Other detectors


def shipped(path, **backbone):
    """MMDetection's own model of that config, on MobileNeXt; its neck takes the channels that the backbone says."""
    config = Config.fromfile(SHIPPED / path).model
    config.backbone = ConfigDict(type='MobileNeXt', widen_factor=0.35, **backbone)
    config.neck.in_channels = [feature['channels'] for feature in MODELS.build(config.backbone).feature_info]
    # YOLOX would blow its 64 pixels up to a random size of 320 and more.
    config.data_preprocessor.pop('batch_augments', None)
    return config


def test_retinanet():
    config = shipped('_base_/models/retinanet_r50_fpn.py')
    config.bbox_head.num_classes = 3
    config.test_cfg.score_thr = 0  # untrained, nothing would reach the usual threshold
    assert_trains_and_predicts(MODELS.build(config), batch(64, 3), classes=3)


def test_faster_rcnn():
    config = shipped('_base_/models/faster-rcnn_r50_fpn.py')
    config.roi_head.bbox_head.num_classes = 3
    config.train_cfg.rpn_proposal.max_per_img = config.test_cfg.rpn.max_per_img = 50
    assert_trains_and_predicts(MODELS.build(config), batch(64, 3), classes=3)


def test_yolox():
    config = shipped('yolox/yolox_tiny_8xb8-300e_coco.py', out_indices=(2, 4, 7))
    config.bbox_head.num_classes = 3
    config.test_cfg.score_thr = 0  # untrained, nothing would reach the usual threshold
    assert_trains_and_predicts(MODELS.build(config), batch(64, 3), classes=3)
