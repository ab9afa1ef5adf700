"""What is evaluated; the tool's test measures."""

import numpy as np

from mobilenext_det.speed.evaluation import random_records


def test_records_hold_what_evaluation_has_to_deal_with():
    records = random_records(50, 40, 5)
    scores = np.concatenate([record.scores for record in records])
    assert len(np.unique(scores)) == len(scores) == 2000
    assert sum(record.difficult.sum() for record in records) > 5
    assert {int(label) for record in records for label in record.labels} == set(range(5))
    for first, second in zip(records, random_records(50, 40, 5), strict=True):
        assert (first.boxes == second.boxes).all() and (first.labels == second.labels).all()
