"""Tables as they are printed."""

import numpy as np

from mobilenext_det.evaluation import EvaluationSet, ImageRecord, summarise
from mobilenext_det.evaluation.errors import break_down
from mobilenext_det.evaluation.tables import class_table, coco_line, error_table, footnotes


def evaluated():
    box = np.array([[10.0, 10, 49, 49]])
    record = ImageRecord('1', '', box, [0], [False], np.repeat(box, 2, 0), [0, 0], [0.9, 0.8])
    data = EvaluationSet.from_records([record], ('cat', 'emu'))
    return data, summarise(data, coco=True)


def test_class_table():
    assert class_table(evaluated()[1], ('11points',)).markdown().splitlines() == [
        '| class | objects | difficult | detections | TP | FP | AP 11 points | precision | recall | at score |',
        '|-------|---------|-----------|------------|----|----|--------------|-----------|--------|----------|',
        '| cat   |       1 |         0 |          2 |  1 |  1 |       100.00 |    100.00 | 100.00 |    0.900 |',
        '| emu   |       0 |         0 |          0 |  0 |  0 |            - |         - |      - |        - |',
        '| all   |       1 |         0 |          2 |  1 |  1 |       100.00 |    100.00 | 100.00 |    0.900 |',
    ]


def test_error_table():
    data, summary = evaluated()
    lines = error_table(['ours'], [break_down(data, summary)]).markdown().splitlines()
    assert lines[0] == '| error       | errors | mAP points lost |'
    assert '| duplicate   |      1 |            0.00 |' in lines
    pair = error_table(['a', 'b'], [break_down(data, summary)] * 2).markdown().splitlines()
    assert pair[0] == '| error       | errors, a | mAP points lost, a | errors, b | mAP points lost, b |'


def test_lines_below():
    _, summary = evaluated()
    assert coco_line(summary).split('  ')[1:3] == ['AP 100.00', 'AP50 100.00']
    assert 'AP_large -' in coco_line(summary)
    assert footnotes(summary).startswith('1 images; AP in percent at IoU 0.5; difficult objects are neither')
