"""The protocol of a timed process."""

import io
import json
from functools import partial

from mobilenext_det.speed.worker import serve, time_picture


def test_every_question_is_answered_and_warms_up_first():
    done = []

    def note(what, result):
        return lambda given: done.append((what, given)) or result(given)

    def opener(path):
        done.append(('open', path))
        return partial(
            time_picture,
            note('prepare', str.upper),
            note('find', str),
            note('read', str.title),
            note('detect', str),
        )

    answers = io.StringIO()
    serve(opener, iter(['{"path": "file"}', '["a", "b"]', '["c"]']), answers)
    assert done == [('open', 'file')] + [
        step
        for file in ('a', 'a', 'b', 'c', 'c')
        for step in (('prepare', file), ('find', file.upper()), ('read', file), ('detect', file.title()))
    ]
    imported, opened, first, second = map(json.loads, answers.getvalue().splitlines())
    assert imported == opened == {}
    assert [len(answer['seconds']) for answer in (first, second)] == [2, 1]
    for seconds in first['seconds']:
        assert set(seconds) == {'network', 'image', 'file'} and seconds['file'] >= seconds['image'] > 0
