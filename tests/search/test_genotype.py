"""Genotypes as JSON: written and read again, and every way of being none gets a sentence."""

import json

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.search import read_genotype
from mobilenext_det.search.genotype import Edge


def changed(genotype, **values):
    return {**genotype.as_dict(), **values}


def test_it_is_read_as_it_was_written(every_operation, tmp_path):
    every_operation.write(tmp_path / 'genotype.json')
    found = read_genotype(tmp_path / 'genotype.json', space='sandglass')
    assert found == every_operation
    assert found.normal[3] == (Edge('sep_conv_3x3', 4), Edge('dil_conv_3x3', 1))
    assert len((tmp_path / 'genotype.json').read_text().splitlines()) == 15


def test_shares(every_operation):
    assert len(list(every_operation.edges())) == 16
    assert every_operation.share('sandglass') == 3 / 16


def test_another_space_is_refused(every_operation, tmp_path):
    every_operation.write(tmp_path / 'genotype.json')
    with pytest.raises(UsageError) as error:
        read_genotype(tmp_path / 'genotype.json', space='darts')
    assert str(error.value) == (
        f"{tmp_path}/genotype.json is of the search space 'sandglass', but 'darts' is asked for: give a genotype of "
        "that space, or set space='sandglass'."
    )


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [
        (dict(space='nasnet'), "There is no search space 'nasnet'"),
        (dict(space=None), 'holds no genotype: tools/search.py writes one, with "space", "normal" and "reduce"'),
        (dict(space='darts'), "normal, node 0: 'sandglass' is no operation of the search space 'darts', which has max"),
        (dict(reduce=[]), 'The genotype, reduce is no cell: it must list 4 nodes'),
        (dict(normal=[[['none', 0], ['none', 1]]] * 4), "node 0: 'none' is no operation"),
        (dict(normal=[['skip_connect', 0]] * 4), 'node 0 must be two pairs of an operation and what it reads'),
        (dict(normal=[[['skip_connect', 0], ['skip_connect', 2]]] * 4), 'node 0 can read states 0 to 1, but reads 2'),
    ],
)
def test_what_is_no_genotype(values, sentence, every_operation):
    with pytest.raises(UsageError, match=sentence):
        read_genotype(changed(every_operation, **values))


def test_files_that_hold_none(tmp_path):
    with pytest.raises(UsageError, match=r'There is no genotype .*none\.json: tools/search\.py writes one'):
        read_genotype(tmp_path / 'none.json')
    (tmp_path / 'text.json').write_text('no JSON')
    with pytest.raises(UsageError, match=r'text\.json holds no genotype: it is not JSON'):
        read_genotype(tmp_path / 'text.json')
    (tmp_path / 'list.json').write_text(json.dumps([1]))
    with pytest.raises(UsageError, match=r'list\.json holds no genotype: tools/search\.py'):
        read_genotype(tmp_path / 'list.json')
