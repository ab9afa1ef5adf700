"""A short sample of `make faults`, which docs/reliability.md is about; and what its table says."""

import json
import os
import signal
import time

import pytest

from mobilenext_det.errors import UsageError
from tests.faults import campaign, inert, kills, machine, page
from tests.faults.contained import Fault, outcomes
from tests.faults.inputs import kinds


def none_harmful(ends):
    ends = list(ends)
    assert ends
    assert not [end for end in ends if end.startswith('FAULT')]


@pytest.mark.parametrize('number', range(8))
def test_damaged_files_are_skipped_or_end_in_a_sentence(world, number):
    kind = kinds(world)[number]
    none_harmful(outcomes(kind.read_input, list(kind.inputs(4))))


@pytest.mark.parametrize('work', [kills.Training, kills.RunFile], ids=lambda work: work.what)
def test_a_killed_work_ends_the_same(world, tmp_path, work):
    none_harmful(kills.kill(work(world, tmp_path / 'work'), 2))


@pytest.mark.parametrize('name', machine.TROUBLES)
def test_trouble_of_the_machine_ends_in_a_sentence_and_loses_nothing(world, tmp_path, name):
    none_harmful([machine.TROUBLES[name](world, tmp_path / 'work')])


def test_code_in_a_checkpoint_does_not_run_in_any_tool(world):
    none_harmful(inert.outcomes_of_attempts(world, 12))


def test_the_page_withstands_what_is_sent_to_it(world):
    none_harmful(page.outcomes_of_requests(world, 4))


def read_anything(one):
    """Do what each of these says."""
    if one == 'hang':
        time.sleep(60)
    if one == 'die':
        os.kill(os.getpid(), signal.SIGKILL)
    if one == 'memory':
        bytearray(2 << 30)
    if isinstance(one, Exception):
        raise one
    return one


def test_whatever_an_input_does_is_told(monkeypatch):
    monkeypatch.setattr('tests.faults.contained.SECONDS', 1)
    inputs = [
        'read',
        'hang',
        'die',
        'memory',
        UsageError('No.'),
        UsageError('No.\nYes.'),
        KeyError('x'),
        Fault('NaN'),
        'read',
    ]
    assert [end.partition(' at ')[0] for end in outcomes(read_anything, inputs)] == [
        'read',
        'FAULT hangs for more than 1 s',
        'FAULT ends the process (-9)',
        "FAULT MemoryError: ''",
        'sentence',
        "FAULT not one sentence: 'No.\\nYes.'",
        'FAULT KeyError: "\'x\'"',
        'FAULT NaN',
        'read',
    ]  # fmt: skip


def test_the_table_counts_what_did_harm(tmp_path):
    (tmp_path / 'record.md').write_text('Before.\n<!-- table -->\nold\n<!-- end -->\nAfter.\n')
    record = {'kill': dict(injected=3, outcomes={'same': 2, 'FAULT differs': 1}, seconds=90)}
    campaign.write(record, tmp_path / 'record.json')
    assert json.loads((tmp_path / 'record.json').read_text()) == record
    text = (tmp_path / 'record.md').read_text()
    assert text.startswith('Before.\n<!-- table -->\n\n| injected |')
    assert '| kill | 3 | 2 same | 1 | 1.5 |\n\n<!-- end -->\nAfter.\n' in text


def test_the_page_in_the_docs_is_made_of_its_record():
    record = json.loads(campaign.RECORD.read_text())
    assert campaign.table(record) in campaign.PAGE.read_text()
    assert campaign.broken(record) == 0
