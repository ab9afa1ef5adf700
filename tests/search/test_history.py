"""What a search wrote, read again: its shares, its pictures, and what is none."""

import json

import numpy as np
import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.search.charts import cell_chart, draw_search, share_chart
from mobilenext_det.search.history import epoch_file, read_history


@pytest.fixture
def folder(tmp_path, every_operation):
    """A search of two epochs, in which one operation of nine gains weight on one edge of fourteen."""
    for epoch in (1, 2):
        weights = np.full((14, 9), 1 / 9)
        weights[0, 8] += epoch
        state = dict(epoch=epoch, genotype=every_operation.as_dict(), edge_weights={})
        state['operation_weights'] = dict(normal=weights.tolist(), reduce=np.full((14, 9), 1 / 9).tolist())
        epoch_file(tmp_path, epoch).parent.mkdir(exist_ok=True)
        epoch_file(tmp_path, epoch).write_text(json.dumps(state))
    return tmp_path


def test_shares_are_means_over_the_edges(folder, every_operation):
    history = read_history(folder)
    assert [epoch.epoch for epoch in history] == [1, 2]
    assert history[1].genotype == every_operation
    np.testing.assert_allclose(history[1].shares['normal'], [1 / 9] * 8 + [1 / 9 + 2 / 14])
    np.testing.assert_allclose(history[1].shares['reduce'], [1 / 9] * 9)


def test_pictures_show_every_edge_and_every_operation(folder, every_operation):
    cells = cell_chart(every_operation)
    for axes, nodes in zip(cells.axes, (every_operation.normal, every_operation.reduce), strict=True):
        written = [text.get_text() for text in axes.texts]
        arrows = [(text.xyann[0], text.xy[0]) for text in axes.texts if text.get_text() == '']
        edges = [(node + 2, edge) for node, pair in enumerate(nodes) for edge in pair]
        assert arrows == [(edge.source, node) for node, edge in edges]
        assert [name for name in written if '_' in name or name == 'sandglass'] == [edge.operation for _, edge in edges]
    lines = share_chart(read_history(folder)).axes[0].get_lines()
    assert [line.get_label() for line in lines][::8] == ['none', 'sandglass']
    np.testing.assert_allclose(lines[8].get_ydata(), [100 / 9 + 100 / 14, 100 / 9 + 200 / 14])
    draw_search(folder)
    assert sorted(path.name for path in folder.glob('*.png')) == ['cells.png', 'shares.png']


def test_what_is_no_search_is_said(folder, tmp_path_factory):
    with pytest.raises(UsageError, match=r'holds no search: tools/search\.py writes epochs/ there'):
        read_history(tmp_path_factory.mktemp('empty'))
    state = json.loads(epoch_file(folder, 2).read_text())
    state['operation_weights']['normal'] = [[0.5, 0.5]] * 14
    epoch_file(folder, 2).write_text(json.dumps(state))
    with pytest.raises(UsageError, match=r"002\.json does not fit the search space 'sandglass'"):
        read_history(folder)
    epoch_file(folder, 2).write_text('{"epoch": 2')
    with pytest.raises(UsageError, match=r'002\.json is damaged \(.*\): take it away'):
        read_history(folder)
