"""Curves of runs from the logs that mmengine writes: what is read, written and drawn."""

import json

import pytest

from mobilenext_det.analysis.curves import Curve, curve_plot, read_curve, write_curves
from mobilenext_det.errors import UsageError


def log(folder, start, *entries):
    path = folder / start / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(json.dumps(entry) for entry in entries))


@pytest.fixture
def run(tmp_path):
    """A run that was killed after its second logged iteration and went on from the first."""
    folder = tmp_path / 'run'
    common = dict(time=0.1, data_time=0.01, memory=5)
    log(folder, '2_first', *(dict(loss=9 - step, lr=0.1, iter=step, step=step, **common) for step in (1, 2)))
    log(
        folder,
        '3_resumed',
        dict(loss=6.5, lr=0.1, iter=2, step=2, **common),
        {'accuracy/top1': 0.25, 'accuracy/top5': 0.5, 'time': 1.0, 'data_time': 0.5, 'step': 2},
    )
    return folder


def test_reads_what_counts(run):
    assert read_curve(run) == Curve(
        train=[dict(step=1, loss=8, lr=0.1), dict(step=2, loss=6.5, lr=0.1)],
        val=[dict(step=2, top1=0.25, top5=0.5)],
    )


def test_what_is_written_is_read_again_and_drawn(run, tmp_path):
    curves = {'one': read_curve(run), 'two': read_curve(run)}
    write_curves(curves, 'top1', tmp_path / 'out')
    assert read_curve(tmp_path / 'out' / 'two.json') == curves['two']
    assert (tmp_path / 'out' / 'curves.png').read_bytes().startswith(b'\x89PNG')
    loss, score = curve_plot(curves, 'top5').axes
    assert [line.get_xydata().tolist() for line in loss.lines] == [[[1, 8], [2, 6.5]]] * 2
    assert [line.get_xydata().tolist() for line in score.lines] == [[[2, 0.5]]] * 2


def test_a_score_that_is_not_there_writes_nothing(run, tmp_path):
    with pytest.raises(UsageError, match=r'one has no score mAP_11points; it has top1, top5\.'):
        write_curves({'one': read_curve(run)}, 'mAP_11points', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_a_folder_without_logs(tmp_path):
    with pytest.raises(UsageError, match='holds no log of a training'):
        read_curve(tmp_path)
