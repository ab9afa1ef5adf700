import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.peers.contest import run_contest


@pytest.fixture
def contest(prepared):
    return run_contest(prepared.config, prepared.out, 0.001, ['ours', 'ssdlite-mobilenetv2'], [0])


def test_all_are_trained_tested_and_timed_and_none_twice(contest, prepared):
    by_name = {row.detector: row for row in contest.rows}
    assert set(by_name) == {'ours', 'ssdlite-mobilenetv2'}
    for name, row in by_name.items():
        (run,) = row.runs
        assert run.epochs > 0 and 0 <= run.map <= run.map_50 <= 1
        assert row.milliseconds > 0
        assert (prepared.out / f'{name}.onnx').is_file()
    assert by_name['ours'].runs[0].parameters < by_name['ssdlite-mobilenetv2'].runs[0].parameters
    lines = contest.text.splitlines()
    assert lines[0].split('|')[1].strip() == 'detector'
    again = run_contest(prepared.config, prepared.out, 0.001, list(by_name), [0])
    assert [row.runs for row in again.rows] == [row.runs for row in contest.rows]
    with pytest.raises(UsageError, match='is of a run of 0.001 minutes, not 5: name another --out'):
        run_contest(prepared.config, prepared.out, 5, list(by_name), [0])
