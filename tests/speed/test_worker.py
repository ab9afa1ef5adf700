"""The protocol of a timed process."""

import io
import json

from mobilenext_det.speed.worker import Subject, serve


def test_every_round_is_answered_and_warms_up_first():
    done = []
    subject = Subject(
        prepare=lambda file: done.append(('prepare', file)) or file.upper(),
        find=lambda prepared: done.append(('find', prepared)),
        detect=lambda file: done.append(('detect', file)),
    )
    answers = io.StringIO()
    serve(subject, ['["a", "b"]', '["c"]'], answers)
    assert done == [
        (what, file.upper() if what == 'find' else file)
        for file in ('a', 'a', 'b', 'c', 'c')
        for what in ('prepare', 'find', 'detect')
    ]
    first, second, last = map(json.loads, answers.getvalue().splitlines())
    assert [len(first['network']), len(first['file']), len(second['network']), len(second['file'])] == [2, 2, 1, 1]
    assert last['peak_mib'] > 0
