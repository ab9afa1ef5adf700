"""A genotype that has every operation."""

import pytest

from mobilenext_det.search import read_genotype


@pytest.fixture(scope='session')
def every_operation():
    nodes = [
        [['max_pool_3x3', 0], ['sandglass', 1]],
        [['skip_connect', 0], ['dil_conv_5x5', 2]],
        [['sep_conv_5x5', 1], ['avg_pool_3x3', 3]],
        [['sep_conv_3x3', 4], ['dil_conv_3x3', 1]],
    ]
    others = [[['sandglass', 0], ['avg_pool_3x3', 1]], *nodes[1:3], [['sandglass', 4], ['skip_connect', 3]]]
    return read_genotype(dict(space='sandglass', normal=nodes, reduce=others))
