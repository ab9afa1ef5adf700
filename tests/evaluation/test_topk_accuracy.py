import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mobilenext_det.evaluation import TopKAccuracy


def evaluate(scores, labels, batch_size=2, **kwargs):
    metric = TopKAccuracy(**kwargs)
    scores, labels = torch.as_tensor(scores, dtype=torch.float32), torch.as_tensor(labels)
    for start in range(0, len(labels), batch_size):
        part = slice(start, start + batch_size)
        metric.process(dict(data_samples=labels[part]), list(scores[part]))
    return metric.evaluate(len(labels))


def test_counts_by_hand():
    scores = [[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]
    assert evaluate(scores, [1, 1, 0], topk=(1, 2, 3)) == pytest.approx(
        {'accuracy/top1': 1 / 3, 'accuracy/top2': 2 / 3, 'accuracy/top3': 1.0}
    )


@given(st.data())
def test_agrees_with_sorting(data):
    images, classes = data.draw(st.integers(1, 6)), data.draw(st.integers(2, 7))
    score = st.integers(0, 4)  # with ties
    scores = np.array(
        data.draw(st.lists(st.lists(score, min_size=classes, max_size=classes), min_size=images, max_size=images))
    )
    labels = data.draw(st.lists(st.integers(0, classes - 1), min_size=images, max_size=images))
    ranking = np.argsort(-scores, axis=1, kind='stable')
    for k in (1, 3):
        expected = np.mean([label in row[:k] for label, row in zip(labels, ranking, strict=True)])
        assert evaluate(scores, labels, topk=(k,))[f'accuracy/top{k}'] == pytest.approx(expected)


def test_equal_scores_do_not_make_a_classifier_right():
    assert evaluate([[0.0] * 10] * 10, list(range(10)))['accuracy/top1'] == pytest.approx(0.1)
