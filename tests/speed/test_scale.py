"""Points, tables and charts of the scale curves; the tool's test measures."""

from dataclasses import replace

import pytest
from mmengine.config import Config

from mobilenext_det._mim import config_path
from mobilenext_det.errors import UsageError
from mobilenext_det.speed.scale import WIDTHS, Point, ScaleRow, draw_curves, measure_scale


def test_processes_share_images_and_workers(toy_root):
    settings = Point(batch_size=24, workers=2, processes=2).settings(toy_root)
    assert (settings.batch_size, settings.workers, settings.size) == (12, 1, 320)


@pytest.mark.parametrize(('width', 'config'), WIDTHS.items())
def test_every_width_has_its_config(width, config):
    assert Config.fromfile(config_path(config)).model.backbone.get('widen_factor', 1.0) == width


@pytest.mark.parametrize(
    ('curves', 'sentence'),
    [
        (dict(width=[0.6]), 'There is no config of width 0.6; choose of 0.35, 0.5, 0.75, 1.0, 1.4.'),
        (dict(processes=[5]), '--processes 5 cannot share 24 images and 2 workers evenly.'),
        (dict(processes=[0]), '--processes 0 is too small: take 1 or more.'),
        (dict(size=[100]), '--size 100 is too small: take 160 or more.'),
        (dict(width=[]), 'There is nothing to measure: give at least one curve a value.'),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is(curves, sentence, toy_root, tmp_path):
    with pytest.raises(UsageError) as error:
        measure_scale({'batch_size': [], **curves}, str(tmp_path / 'out'), toy_root)
    assert str(error.value) == sentence
    assert not (tmp_path / 'out').exists()


def test_a_chart_has_a_column_a_curve(tmp_path):
    row = ScaleRow(images_per_second=10.0, quartiles=(9.0, 11.0), epoch_minutes=1.0, peak_mib=4096.0)
    rows = dict(batch_size=[replace(row, batch_size=n) for n in (4, 8)], workers=[row])
    figure = draw_curves(rows)
    figure.savefig(tmp_path / 'chart.png')
    speeds, memory = figure.axes[:2], figure.axes[2:]
    assert [axes.get_xlabel() for axes in memory] == ['images of a step', 'loader workers']
    assert [label.get_text() for label in memory[0].get_xticklabels()] == ['4', '8']
    assert speeds[0].lines[0].get_ydata().tolist() == [10, 10]
    assert memory[1].lines[0].get_ydata().tolist() == [4]
    assert (tmp_path / 'chart.png').stat().st_size > 10_000
