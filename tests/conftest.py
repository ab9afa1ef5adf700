"""What all tests share: fixtures, their order, and imports that are paid for once."""

import gc

import mmengine.config.config as mmengine_config
import pytest
from hypothesis import settings
from yapf.yapflib import yapf_api

pytest_plugins = [
    'tests.fixtures.skipped',
    'tests.fixtures.shared',
    'tests.fixtures.tiny_network',
    'tests.fixtures.untrained',
    'tests.fixtures.exported',
]

# Nothing timed is asserted: a busy machine is no failure.
settings.register_profile('untimed', deadline=None)
settings.load_profile('untimed')


# Their files take longest: processes that import PyTorch, and compilers of exported files.
LONG = ('deploy', 'tools', 'speed', 'docs', 'test_packaging.py')


def pytest_collection_modifyitems(items):
    """Long files first: whichever of pytest-xdist's processes is done with its own takes short ones up to the end."""
    items.sort(key=lambda item: not set(LONG) & set(item.path.parts))


def pytest_collection_finish():
    """Let collections pass over what was imported, which stays: every data set asks for one, and each took a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope='session', autouse=True)
def layout_of_a_config_is_done_once():
    """Remember what yapf made of a text: mmengine asks it for every checkpoint, most of the time of a small run."""
    lay_out, done = yapf_api.FormatCode, {}

    def once(text, **options):
        key = text, str(options)
        if key not in done:
            done[key] = lay_out(text, **options)
        return done[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yapf_api, 'FormatCode', once)  # where the maintained fork finds it, at every call
        patch.setattr(mmengine_config, 'FormatCode', once, raising=False)
        yield
