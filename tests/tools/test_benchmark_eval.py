"""The benchmark of evaluation compares like with like; how fast it is, it only prints."""

import json


def test_prints_medians_and_ratio(tools, capsys):
    sizes = ('--images', 40, '--detections', 30, '--classes', 3, '--repeats', 2)
    assert tools.main('benchmark/eval.py', *sizes, '--json') == 0
    *lines, last = capsys.readouterr().out.splitlines()
    numbers = json.loads(last)
    counted = dict(images=40, detections=30, classes=3, repeats=2)
    assert numbers.keys() == {'ours', 'mmdet', 'ratio', 'difference', *counted} and numbers.items() >= counted.items()
    assert numbers['difference'] < 1e-6
    assert numbers['ratio'] == numbers['mmdet'] / numbers['ours']
    assert lines[-1].startswith(f'{numbers["ratio"]:.1f} times as fast')
