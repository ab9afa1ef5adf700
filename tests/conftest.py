"""The count of skips is printed, and in CI a skipped test fails the run: what is not run there is not tested at all."""

import os

import pytest
from hypothesis import settings

pytest_plugins = [
    'tests.fixtures.shared',
    'tests.fixtures.tiny_network',
    'tests.fixtures.untrained',
    'tests.fixtures.exported',
]

# Nothing timed is asserted: a busy machine is no failure.
settings.register_profile('untimed', deadline=None)
settings.load_profile('untimed')


def skipped(config) -> int:
    return len(config.pluginmanager.get_plugin('terminalreporter').stats.get('skipped', []))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    # Only the controlling process of pytest-xdist has a terminal to report to.
    if hasattr(session.config, 'workerinput'):
        return
    if os.environ.get('CI') == 'true' and skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.write_line(f'skipped tests: {skipped(config)}')
