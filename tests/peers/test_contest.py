import json
from dataclasses import asdict, replace

import cv2
import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.peers.contest import OWN, run_contest

PEER = 'ssdlite-mobilenetv2'


def test_a_peer_is_trained_tested_timed_and_not_trained_twice(prepared):
    contest = run_contest(prepared.config, prepared.out, 0.001, [PEER], [0])
    (row,) = contest.rows
    (run,) = row.runs
    assert run.epochs == 5  # ten steps of two images, the fewest that a schedule is for
    assert 0 <= run.map <= run.map_50 <= 1
    assert run.parameters > 2e6
    assert row.milliseconds > 0
    assert run.curve[-1][0] == 1
    contest.write(prepared.out / 'peers')
    assert cv2.imread(str(prepared.out / 'peers.png')).shape[1] == 960
    again = run_contest(prepared.config, prepared.out, 0.001, [PEER], [0])
    assert again.rows[0].runs == row.runs
    with pytest.raises(UsageError, match='is of a run of 0.001 minutes, not 5: name another --out'):
        run_contest(prepared.config, prepared.out, 5, [PEER], [0])

    # Runs of other detectors join it, and several seeds become one row.
    for seed, share in ((0, 0.5), (1, 0.7)):
        record = prepared.out / f'{OWN}-{seed}.json'
        record.write_text(json.dumps(asdict(replace(run, detector=OWN, seed=seed, map_50=share))))
    with pytest.raises(UsageError, match=f'{OWN}.onnx is not there, but .*{OWN}-0.json is: remove it to train anew'):
        run_contest(prepared.config, prepared.out, 0.001, [OWN], [0])
    (prepared.out / f'{OWN}.onnx').write_bytes((prepared.out / f'{PEER}.onnx').read_bytes())
    (own,) = run_contest(prepared.config, prepared.out, 0.001, [OWN], [0, 1, 0]).rows
    assert own.percent('map_50') == '60.0 (50.0 - 70.0)'
    record.write_text('{"detector": "ours"')
    with pytest.raises(
        UsageError, match=f'{OWN}-1.json is no record of a run of this version .*: remove it to train anew'
    ):
        run_contest(prepared.config, prepared.out, 0.001, [OWN], [0, 1])

    # The same folder for other data: what it holds says nothing about that.
    record.write_text(json.dumps(asdict(replace(run, detector=OWN, seed=1, data='other'))))
    with pytest.raises(UsageError, match=f'{OWN}-1.json is of a run on other images or objects: name another --out'):
        run_contest(prepared.config, prepared.out, 0.001, [OWN], [0, 1])
