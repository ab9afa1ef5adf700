"""The head: its layers, its loss and its detections, each held against plain arithmetic on the recipe's text."""

import math

import numpy as np
import pytest
import torch
from mmdet.models.dense_heads import SSDHead
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import nn
from torchvision.ops import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss

from mobilenext_det.models.ssdlite_head import IOU_LOSSES

CHANNELS = (576, 1280, 512, 256, 256, 128)
MAPS = (20, 10, 5, 3, 2, 1)
# A small head for arithmetic: 160 pixels, 840 priors, 3 classes.
SIZE, SMALL_MAPS, CLASSES = 160, (10, 5, 3, 2, 1, 1), 3
SMALL = dict(
    num_classes=CLASSES,
    in_channels=(8,) * 6,
    anchor_generator=dict(type='SSDLitePriorGenerator', input_size=SIZE),
)


@pytest.fixture(scope='module')
def head(tools):
    return tools.build_head(**SMALL)


@pytest.fixture(scope='module')
def priors(head):
    levels = head.prior_generator.grid_priors([(m, m) for m in SMALL_MAPS], device='cpu')
    return torch.cat(levels).double().numpy()


def to_levels(values, maps=SMALL_MAPS):
    """(N, priors, k) in the priors' order to each level's (N, 6 * k, H, W): the layout that the head puts out."""
    levels, start = [], 0
    for m in maps:
        level = values[:, start : start + m * m * 6].reshape(len(values), m, m, -1)
        levels.append(level.permute(0, 3, 1, 2).contiguous())
        start += m * m * 6
    assert start == values.shape[1]
    return levels


def metas(count, scale_factor=(1.0, 1.0)):
    meta = dict(img_shape=(SIZE, SIZE), pad_shape=(SIZE, SIZE), ori_shape=(SIZE, SIZE), scale_factor=scale_factor)
    return [dict(meta) for _ in range(count)]


# Layers


@pytest.mark.parametrize('classes', [20, 80])
def test_output_shapes_and_counts(classes, tools):
    with torch.device('meta'):
        head = tools.build_head(num_classes=classes).eval()
        features = [torch.empty(2, c, m, m) for c, m in zip(CHANNELS, MAPS, strict=True)]
    scores, deltas = head(features)
    assert [tuple(s.shape) for s in scores] == [(2, 6 * (classes + 1), m, m) for m in MAPS]
    assert [tuple(d.shape) for d in deltas] == [(2, 24, m, m) for m in MAPS]
    # Depthwise 3x3 with bias, BN, then 1x1 with bias, for classes and for boxes; the last level has the 1x1 alone.
    outputs = 6 * (classes + 1) + 6 * 4
    expected = sum(2 * (9 * c + c + 2 * c) + outputs * (c + 1) for c in CHANNELS[:-1]) + outputs * (CHANNELS[-1] + 1)
    assert tools.count_params(head) == expected
    if classes == 20:
        assert expected == 521220


@pytest.mark.parametrize('branch', ['cls_convs', 'reg_convs'])
def test_layers(branch, tools):
    head = tools.build_head()
    *levels, last = getattr(head, branch)
    outputs = 6 * 21 if branch == 'cls_convs' else 24
    for level, channels in zip(levels, CHANNELS[:-1], strict=True):
        depthwise, norm, act, point = [m for m in level.modules() if not list(m.children())]
        assert isinstance(depthwise, nn.Conv2d) and depthwise.bias is not None
        assert (depthwise.groups, depthwise.in_channels, depthwise.out_channels) == (channels,) * 3
        assert (depthwise.kernel_size, depthwise.stride, depthwise.padding) == ((3, 3), (1, 1), (1, 1))
        assert isinstance(norm, nn.BatchNorm2d) and (norm.eps, norm.momentum) == (1e-5, 0.1)
        assert isinstance(act, nn.ReLU6)
        assert (point.kernel_size, point.in_channels, point.out_channels) == ((1, 1), channels, outputs)
    (point,) = [m for m in last.modules() if not list(m.children())]
    assert (point.kernel_size, point.in_channels, point.out_channels) == ((1, 1), CHANNELS[-1], outputs)


def test_initial_weights(tools):
    torch.manual_seed(0)
    head = tools.build_head(**SMALL | dict(in_channels=(64,) * 6))
    for p in head.parameters():
        nn.init.constant_(p, 7)
    head.init_weights()
    for layer in head.modules():
        if isinstance(layer, nn.Conv2d):
            out, cin, k, _ = layer.weight.shape
            bound = math.sqrt(6 / (k * k * (cin + out)))  # Xavier, uniform
            largest = layer.weight.abs().max().item()
            assert 0.95 * bound < largest <= bound
            assert torch.all(layer.bias == 0)


# The loss, in float64


def iou(a, b):
    """IoU of one box with one other, in continuous coordinates."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return w * h / (sum(areas) - w * h)


def match(priors, boxes):
    """Index of the object of each prior, or -1: IoU 0.5 with the best object, then every object's best prior."""
    overlaps = np.array([[iou(prior, box) for box in boxes] for prior in priors]).reshape(len(priors), len(boxes))
    matched = np.full(len(priors), -1)
    if len(boxes):
        # The comparison below must not hang on the last bit.
        assert np.abs(overlaps - 0.5).min() > 1e-6
        top_two = np.sort(overlaps, axis=0)[-2:]
        assert (top_two[1] - top_two[0]).min() > 1e-6
        for index, row in enumerate(overlaps):
            if row.max() >= 0.5:
                matched[index] = row.argmax()
        for column in range(len(boxes)):
            matched[overlaps[:, column].argmax()] = column
    return matched


def encode(prior, box):
    """Offsets of centre over the prior's size and .1, and logarithms of size over .2."""
    pw, ph, bw, bh = prior[2] - prior[0], prior[3] - prior[1], box[2] - box[0], box[3] - box[1]
    dx = (box[0] + box[2] - prior[0] - prior[2]) / 2 / pw
    dy = (box[1] + box[3] - prior[1] - prior[3]) / 2 / ph
    return np.array([dx / 0.1, dy / 0.1, math.log(bw / pw) / 0.2, math.log(bh / ph) / 0.2])


def reference_loss(scores, deltas, priors, objects):
    """Sums of both losses over the batch's positives, and what images without objects add: 24 hard negatives each."""
    loss_cls = loss_bbox = background = 0.0
    positives = empty = 0
    for image_scores, image_deltas, (boxes, labels) in zip(scores, deltas, objects, strict=True):
        matched = match(priors, boxes)
        shifted = image_scores - image_scores.max(1, keepdims=True)
        log_softmax = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        hard = sorted((-log_softmax[i, -1] for i in np.flatnonzero(matched < 0)), reverse=True)
        foreground = np.flatnonzero(matched >= 0)
        loss_cls += sum(-log_softmax[i, labels[matched[i]]] for i in foreground)
        loss_cls += sum(hard[: 3 * len(foreground)])
        for i in foreground:
            error = np.abs(image_deltas[i] - encode(priors[i], boxes[matched[i]]))
            loss_bbox += np.where(error < 1, 0.5 * error**2, error - 0.5).sum()
        positives += len(foreground)
        if not len(foreground):
            background += sum(hard[:24])
            empty += 1
    loss_cls = loss_cls / positives if positives else 0
    if empty:
        loss_cls += background / (positives + 8 * empty)
    return loss_cls, loss_bbox / max(positives, 1)


def random_objects(rng, count):
    """Boxes of any shape and their labels; none so small that it lies inside several priors of one area (a tie)."""
    centres = rng.uniform(20, SIZE - 20, (count, 2))
    halves = np.exp(rng.uniform(np.log(14), np.log(60), (count, 2)))
    boxes = np.concatenate([centres - halves, centres + halves], axis=1).clip(0, SIZE)
    return boxes.astype(np.float32).astype(float), rng.integers(0, CLASSES, count)


def instances(objects):
    return [
        InstanceData(bboxes=torch.tensor(b, dtype=torch.float32).reshape(-1, 4), labels=torch.tensor(k).long())
        for b, k in objects
    ]


@pytest.mark.parametrize('seed', [1, 2, 4, 6])  # seeds at which no object has two equally good priors
def test_loss_is_the_recipes(head, priors, seed):
    rng = np.random.default_rng(seed)
    objects = [random_objects(rng, 1), random_objects(rng, 0), random_objects(rng, 9)]
    scores = rng.normal(0, 2, (3, len(priors), CLASSES + 1)).astype(np.float32)
    deltas = rng.normal(0, 3, (3, len(priors), 4)).astype(np.float32)
    expected = reference_loss(scores.astype(float), deltas.astype(float), priors, objects)
    outputs = [to_levels(torch.from_numpy(values)) for values in (scores, deltas)]
    losses = head.loss_by_feat(*outputs, instances(objects), metas(3))
    assert set(losses) == {'loss_cls', 'loss_bbox'}
    for name, value in zip(('loss_cls', 'loss_bbox'), expected, strict=True):
        assert losses[name].item() == pytest.approx(value, rel=2e-5)


def test_images_without_objects_teach_background_and_leave_the_others_loss_as_it_is(head, priors):
    rng = np.random.default_rng(1)
    some, none = random_objects(rng, 1), random_objects(rng, 0)
    scores = torch.from_numpy(rng.normal(0, 2, (4, len(priors), CLASSES + 1)).astype(np.float32))
    deltas = torch.from_numpy(rng.normal(0, 3, (4, len(priors), 4)).astype(np.float32))

    def losses_and_gradient(objects):
        raw = scores[: len(objects)].clone().requires_grad_()
        outputs = to_levels(raw), to_levels(deltas[: len(objects)])
        losses = head.loss_by_feat(*outputs, instances(objects), metas(len(objects)))
        losses['loss_cls'].backward()
        return losses, raw.grad

    alone, gradient = losses_and_gradient([some, some])
    beside, gradient_beside = losses_and_gradient([some, some, none, none])
    assert torch.equal(beside['loss_bbox'], alone['loss_bbox'])
    assert beside['loss_cls'] > alone['loss_cls']
    assert torch.equal(gradient_beside[:2], gradient)
    assert (gradient_beside[2:] != 0).any(-1).sum(1).tolist() == [24, 24]
    assert (gradient_beside[2:, :, -1] <= 0).all()  # the background's score is to rise, the others are to fall
    only, gradient_only = losses_and_gradient([none, none])
    assert only['loss_bbox'] == 0
    expected = reference_loss(scores[:2].double().numpy(), deltas[:2].double().numpy(), priors, [none, none])
    assert only['loss_cls'].item() == pytest.approx(expected[0], rel=2e-5)
    assert (gradient_only != 0).any(-1).sum(1).tolist() == [24, 24]


# None is the default, smooth L1.
LOSSES = [None, *(dict(type=loss.__name__) for loss in IOU_LOSSES)]


@pytest.fixture(params=LOSSES, ids=lambda loss: 'smooth L1' if loss is None else loss['type'])
def loss_bbox(request):
    return request.param


def test_the_loss_asks_the_device_for_nothing(loss_bbox, tools):
    """On the meta device, which has shapes and no values, whatever needs a value on the host raises."""
    with torch.device('meta'):
        head = tools.build_head(**SMALL, loss_bbox=loss_bbox)
        outputs = [[torch.empty(3, 6 * k, m, m) for m in SMALL_MAPS] for k in (CLASSES + 1, 4)]
        objects = [InstanceData(bboxes=torch.empty(k, 4), labels=torch.empty(k).long()) for k in (2, 0, 5)]
        losses = head.loss_by_feat(*outputs, objects, metas(3))
    assert all(loss.shape == () and loss.is_meta for loss in losses.values())


def test_an_assigner_of_single_images_is_refused(tools):
    stock = dict(type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5)
    with pytest.raises(TypeError, match='which MaxIoUAssigner cannot'):
        tools.build_head(train_cfg=dict(assigner=stock, neg_pos_ratio=3, smoothl1_beta=1.0))


def iou_loss(function, deltas, priors, boxes, owners):
    """Sum of a loss of torchvision's over the priors that have an object, in float64."""
    positive = np.flatnonzero(owners >= 0)
    found = np.array([decode(priors[i], deltas[i]) for i in positive]).reshape(-1, 4)
    wanted = boxes[owners[positive]].reshape(-1, 4)
    return function(torch.from_numpy(found), torch.from_numpy(wanted), reduction='sum').item()


@pytest.mark.parametrize(
    'name, function, spread',
    [
        ('GIoULoss', generalized_box_iou_loss, 3),
        ('DIoULoss', distance_box_iou_loss, 3),
        ('CIoULoss', complete_box_iou_loss, 0.3),  # mmdet's looks at the aspect from an IoU of 0.5 up
    ],
)
def test_loss_over_the_iou_is_torchvisions(tools, priors, name, function, spread):
    head = tools.build_head(**SMALL, loss_bbox=dict(type=name, loss_weight=5.0))
    rng = np.random.default_rng(5)
    objects = [random_objects(rng, count) for count in (4, 0, 1)]
    owners = [match(priors, boxes) for boxes, _ in objects]
    deltas = rng.normal(0, spread, (3, len(priors), 4)).astype(np.float32)
    if name == 'CIoULoss':
        for image, (boxes, _), owner in zip(deltas, objects, owners, strict=True):
            for i in np.flatnonzero(owner >= 0):
                image[i] += encode(priors[i], boxes[owner[i]])
                assert iou(decode(priors[i], image[i]), boxes[owner[i]]) > 0.5
    sums = [iou_loss(function, d, priors, b, o) for d, (b, _), o in zip(deltas, objects, owners, strict=True)]
    positives = sum((owner >= 0).sum() for owner in owners)
    outputs = [to_levels(torch.zeros(3, len(priors), CLASSES + 1)), to_levels(torch.from_numpy(deltas))]
    losses = head.loss_by_feat(*outputs, instances(objects), metas(3))
    assert losses['loss_bbox'].item() == pytest.approx(5 * sum(sums) / positives, rel=1e-4)


def test_negatives_send_nothing_back(loss_bbox, tools, priors):
    """Whatever they predict: for IoU losses even what is no number."""
    head = tools.build_head(**SMALL, loss_bbox=loss_bbox)
    objects = [random_objects(np.random.default_rng(5), 4)]
    positive = torch.from_numpy(match(priors, objects[0][0]) >= 0)[None, :, None]
    deltas = torch.full((1, len(priors), 4), 1e3 if loss_bbox is None else math.nan).where(~positive, 0.1)
    deltas.requires_grad_()
    outputs = [to_levels(torch.zeros(1, len(priors), CLASSES + 1)), to_levels(deltas)]
    loss = head.loss_by_feat(*outputs, instances(objects), metas(1))['loss_bbox']
    loss.backward()
    assert torch.isfinite(loss) and loss > 0
    assert torch.isfinite(deltas.grad).all()
    assert torch.equal(deltas.grad.abs().sum(-1, keepdim=True) > 0, positive)


def test_another_kind_of_loss_is_refused(tools):
    with pytest.raises(TypeError, match='loss_bbox is SmoothL1Loss, which .* one of IoULoss, .*, or None for smooth'):
        tools.build_head(loss_bbox=dict(type='SmoothL1Loss'))


def test_any_assigner_of_whole_batches_serves(tools, priors):
    settings = dict(assigner=dict(type='BatchATSSAssigner'), neg_pos_ratio=3, smoothl1_beta=1.0)
    head = tools.build_head(**SMALL, train_cfg=settings, loss_bbox=dict(type='GIoULoss'))
    rng = np.random.default_rng(3)
    objects = [random_objects(rng, 3), random_objects(rng, 0)]
    levels = torch.from_numpy(priors).float().split([6 * m * m for m in SMALL_MAPS])
    boxes = torch.zeros(2, 3, 4)
    boxes[0] = torch.from_numpy(objects[0][0])
    owners = head.assigner.assign_batch(levels, boxes, torch.tensor([[True] * 3, [False] * 3])).numpy()
    deltas = rng.normal(0, 1, (2, len(priors), 4)).astype(np.float32)
    outputs = [to_levels(torch.zeros(2, len(priors), CLASSES + 1)), to_levels(torch.from_numpy(deltas))]
    losses = head.loss_by_feat(*outputs, instances(objects), metas(2))
    positives = (owners >= 0).sum()
    assert positives > 9
    expected = iou_loss(generalized_box_iou_loss, deltas[0], priors, objects[0][0], owners[0])
    assert losses['loss_bbox'].item() == pytest.approx(expected / positives, rel=1e-4)
    # Three negatives for each positive, and for the empty image as many as for eight.
    negatives = 4 + 3 * 8 / (positives + 8)
    assert losses['loss_cls'].item() == pytest.approx(negatives * math.log(CLASSES + 1), rel=1e-5)


def test_stock_head_comes_to_the_same_loss(head, priors):
    """MMDetection's `SSDHead` sums image by image what is computed here for the whole batch at once."""
    rng = np.random.default_rng(1)
    objects = [random_objects(rng, count) for count in (4, 2, 1)]
    outputs = [
        to_levels(torch.from_numpy(rng.normal(0, 2, (3, len(priors), k)).astype(np.float32)).requires_grad_())
        for k in (CLASSES + 1, 4)
    ]
    ours = head.loss_by_feat(*outputs, instances(objects), metas(3))
    stock = SSDHead.loss_by_feat(head, *outputs, instances(objects), metas(3))
    for name, loss in ours.items():
        torch.testing.assert_close(loss, sum(stock[name]).squeeze())


def test_every_object_gets_its_best_prior(head, priors):
    """An object of 4 pixels reaches IoU 0.5 with no prior, and is learnt all the same."""
    box = np.array([[80.0, 81, 84, 85.5]])
    assert max(iou(prior, box[0]) for prior in priors) < 0.5
    scores = torch.zeros(1, len(priors), CLASSES + 1)
    deltas = torch.zeros(1, len(priors), 4)
    losses = head.loss_by_feat(to_levels(scores), to_levels(deltas), instances([(box, [1])]), metas(1))
    # One positive and three negatives, each at ln(classes + 1).
    assert losses['loss_cls'].item() == pytest.approx(4 * math.log(CLASSES + 1), rel=1e-5)
    assert losses['loss_bbox'].item() > 1


def test_a_batch_without_objects_has_a_finite_loss_and_gradient(loss_bbox, tools):
    head = tools.build_head(**SMALL, loss_bbox=loss_bbox)
    features = [torch.rand(2, 8, m, m, requires_grad=True) for m in SMALL_MAPS]
    head.train()
    losses = head.loss_by_feat(*head(features), instances([(np.empty((0, 4)), [])] * 2), metas(2))
    total = losses['loss_cls'] + losses['loss_bbox']
    total.backward()
    assert losses['loss_bbox'] == 0 and 0 < total < 3 * 50
    assert all(torch.isfinite(p.grad).all() for p in head.parameters() if p.grad is not None)


def test_gradients_reach_every_layer_and_feature(priors, tools):
    torch.manual_seed(0)
    head = tools.build_head(**SMALL).train()
    head.init_weights()
    features = [torch.randn(2, 8, m, m, requires_grad=True) for m in SMALL_MAPS]
    # One object near the first prior of each level.
    first = [6 * sum(m * m for m in SMALL_MAPS[:level]) for level in range(6)]
    boxes = priors[first] + (1, -1, 2, 1)
    objects = [(boxes, np.arange(6) % CLASSES)] * 2
    losses = head.loss_by_feat(*head(features), instances(objects), metas(2))
    (losses['loss_cls'] + losses['loss_bbox']).backward()
    for feature in features:
        assert feature.grad.abs().sum() > 0
    for name, p in head.named_parameters():
        # Batch norm takes a bias before it away again.
        assert name.endswith('.conv.bias') or p.grad.abs().sum() > 0, name


# Detections, in float64


def decode(prior, delta):
    w, h = prior[2] - prior[0], prior[3] - prior[1]
    cx = (prior[0] + prior[2]) / 2 + delta[0] * 0.1 * w
    cy = (prior[1] + prior[3]) / 2 + delta[1] * 0.1 * h
    w, h = w * math.exp(delta[2] * 0.2), h * math.exp(delta[3] * 0.2)
    return np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])


def reference_detections(scores, deltas, priors, top=100, scale=(1.0, 1.0)):
    """(score, label, box) of one image, best first."""
    boxes = [decode(prior, delta) for prior, delta in zip(priors, deltas, strict=True)]
    exponents = np.exp(scores - scores.max(1, keepdims=True))
    probabilities = exponents / exponents.sum(1, keepdims=True)
    kept = []
    for label in range(CLASSES):
        candidates = [i for i in np.argsort(-probabilities[:, label]) if probabilities[i, label] > 0.01]
        chosen = []
        for i in candidates:
            if all(iou(boxes[i], boxes[j]) <= 0.45 for j in chosen):
                chosen.append(i)
        kept += [(probabilities[i, label], label, boxes[i]) for i in chosen]
    kept.sort(key=lambda detection: -detection[0])
    divisor = np.array(scale * 2)
    return [(score, label, box / divisor) for score, label, box in kept[:top]]


def random_outputs(rng, count, priors, background):
    """Scores that lift some priors over the threshold, and deltas that throw some boxes out of the image."""
    scores = rng.normal(0, 2, (count, len(priors), CLASSES + 1)).astype(np.float32)
    scores[..., -1] += background
    deltas = rng.normal(0, 3, (count, len(priors), 4)).astype(np.float32)
    return scores, deltas


def assert_same_detections(result, expected):
    np.testing.assert_allclose(result.scores, [e[0] for e in expected], rtol=1e-4)
    assert result.labels.tolist() == [e[1] for e in expected]
    np.testing.assert_allclose(result.bboxes, np.stack([e[2] for e in expected]), atol=2e-3)


# torchvision's batched NMS works in one way up to a thousand boxes and in another above.
@pytest.mark.parametrize(('background', 'few'), [(8, True), (3, False)])
@pytest.mark.parametrize('rescale', [True, False])
def test_detections_are_the_recipes(head, priors, background, few, rescale):
    rng = np.random.default_rng(0)
    scores, deltas = random_outputs(rng, 2, priors, background)
    probabilities = torch.from_numpy(scores).softmax(-1)[..., :-1]
    assert all((p > 0.01).sum() * 4 < 4000 for p in probabilities) == few
    outputs = [to_levels(torch.from_numpy(values)) for values in (scores, deltas)]
    scale = (0.4, 0.64)
    results = head.predict_by_feat(*outputs, metas(2, scale), rescale=rescale)
    for result, image_scores, image_deltas in zip(results, scores, deltas, strict=True):
        expected = reference_detections(
            image_scores.astype(float), image_deltas.astype(float), priors, scale=scale if rescale else (1.0, 1.0)
        )
        assert_same_detections(result, expected)
        assert len(result) == 100
        assert result.bboxes.min() < 0 and result.bboxes.max() > SIZE  # not clipped


def confident(head, priors, wanted):
    """Outputs that put `wanted`, (prior, label, box, logit), at these priors and background everywhere else."""
    scores = torch.zeros(1, len(priors), CLASSES + 1)
    scores[..., -1] = 20
    deltas = torch.zeros(1, len(priors), 4)
    for prior, label, box, logit in wanted:
        scores[0, prior] = 0
        scores[0, prior, label] = logit
        deltas[0, prior] = torch.from_numpy(encode(priors[prior], box))
    return to_levels(scores), to_levels(deltas)


def test_classes_are_suppressed_apart_wherever_the_boxes_lie(head, priors):
    """What torchvision sets classes apart by is an offset that needs positive coordinates; boxes are not clipped."""
    largest = len(priors) - 4
    wanted = [(largest, 0, (100, 100, 160, 160), 9.0), (largest + 1, 1, (-61, -61, -1, -1), 8.0)]
    (result,) = head.predict_by_feat(*confident(head, priors, wanted), metas(1))
    best = {label: box for box, label in zip(result.bboxes.tolist(), result.labels.tolist(), strict=True)}
    assert best[0] == pytest.approx([100, 100, 160, 160], abs=1e-3)
    assert best[1] == pytest.approx([-61, -61, -1, -1], abs=1e-3)


def test_overlap_of_045_decides(head, priors):
    """Two boxes of a class survive at IoU .44 and not at .46; of two classes, always."""
    last = len(priors) - 1
    for overlap in (0.44, 0.46):
        # Equal boxes of side 100, shifted: IoU = (100 - d) / (100 + d).
        shift = 100 * (1 - overlap) / (1 + overlap)
        boxes = [(20, 20, 120, 120), (20 + shift, 20, 120 + shift, 120)]
        for labels in ((0, 0), (0, 2)):
            wanted = [(last - i, labels[i], boxes[i], 12.0 - i) for i in range(2)]
            (result,) = head.predict_by_feat(*confident(head, priors, wanted), metas(1))
            assert len(result) == (1 if overlap > 0.45 and labels == (0, 0) else 2)


def test_nothing_found_is_an_empty_result(head, priors):
    (result,) = head.predict_by_feat(*confident(head, priors, []), metas(1), rescale=True)
    assert result.bboxes.shape == (0, 4) and result.scores.shape == (0,) and result.labels.shape == (0,)


def test_without_nms_every_candidate_comes_back(head, priors):
    rng = np.random.default_rng(1)
    scores, deltas = random_outputs(rng, 1, priors, 3)
    outputs = [to_levels(torch.from_numpy(values)) for values in (scores, deltas)]
    (result,) = head.predict_by_feat(*outputs, metas(1), with_nms=False)
    probabilities = torch.from_numpy(scores[0]).softmax(-1)[:, :-1]
    expected = np.sort(probabilities[probabilities > 0.01].numpy())[::-1]
    assert result.scores.tolist() == pytest.approx(expected.tolist())  # best first
    with_nms = head.predict_by_feat(*outputs, metas(1))[0]
    torch.testing.assert_close(result[:1].bboxes, with_nms[:1].bboxes)
    assert result.labels[0] == with_nms.labels[0]


def test_other_settings_can_be_given(head, priors):
    rng = np.random.default_rng(2)
    scores, deltas = random_outputs(rng, 1, priors, 3)
    outputs = [to_levels(torch.from_numpy(values)) for values in (scores, deltas)]
    cfg = ConfigDict(score_thr=0.5, nms=dict(type='nms', iou_threshold=0.2), max_per_img=7)
    (result,) = head.predict_by_feat(*outputs, metas(1), cfg=cfg)
    assert len(result) == 7 and result.scores.min() > 0.5


# Mixed precision


def test_outputs_are_float32_under_autocast(tools):
    torch.manual_seed(0)
    head = tools.build_head(**SMALL)
    head.init_weights()
    features = [torch.randn(2, 8, m, m) for m in SMALL_MAPS]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        scores, deltas = head(features)
        losses = head.loss_by_feat(scores, deltas, instances([(np.array([[20.0, 20, 90, 80]]), [0])] * 2), metas(2))
        results = head.eval().predict_by_feat(scores, deltas, metas(2))
    assert {x.dtype for x in (*scores, *deltas)} == {torch.float32}
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert {r.bboxes.dtype for r in results} == {torch.float32}
    assert all(torch.isfinite(r.bboxes).all() and len(r) for r in results)
    # It was bfloat16 that computed them.
    exact = head.train()(features)[0][0]
    assert 0 < (scores[0] - exact).abs().max() < 0.2


def test_levels_and_priors_must_be_as_many(tools):
    with pytest.raises(ValueError, match='zip'):
        tools.build_head(in_channels=(8,) * 5)
