import pytest

from tests.faults.world import World


@pytest.fixture(scope='session')
def world(shared):
    return World(shared('faults', lambda folder: World(folder).make()))
