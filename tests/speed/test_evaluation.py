"""The benchmark compares like with like; how fast it is, it only prints."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np

from mobilenext_det.speed.evaluation import random_records

TOOL = Path(__file__).parents[2] / 'tools' / 'benchmark' / 'eval.py'


def test_prints_medians_and_ratio(monkeypatch, capsys):
    sizes = ['--images', '40', '--detections', '30', '--classes', '3', '--repeats', '2']
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *sizes, '--json'])
    runpy.run_path(str(TOOL), run_name='__main__')
    lines = capsys.readouterr().out.strip().splitlines()
    numbers = json.loads(lines[-1])
    assert numbers.keys() == {'ours', 'mmdet', 'ratio', 'difference'}
    assert numbers['difference'] < 1e-6
    assert numbers['ratio'] == numbers['mmdet'] / numbers['ours']
    assert lines[-2].startswith(f'{numbers["ratio"]:.1f} times as fast')


def test_records_hold_what_evaluation_has_to_deal_with():
    records = random_records(50, 40, 5)
    scores = np.concatenate([record.scores for record in records])
    assert len(np.unique(scores)) == len(scores) == 2000
    assert sum(record.difficult.sum() for record in records) > 5
    assert {int(label) for record in records for label in record.labels} == set(range(5))
    for first, second in zip(records, random_records(50, 40, 5), strict=True):
        assert (first.boxes == second.boxes).all() and (first.labels == second.labels).all()
