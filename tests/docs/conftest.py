"""The pages of the project as they are written."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='session')
def pages() -> dict[Path, str]:
    """Return the text of README, CONTRIBUTING, CHANGELOG and every page of docs/, by file."""
    paths = [*ROOT.glob('*.md'), *ROOT.glob('docs/**/*.md')]
    assert len(paths) > 15
    return {path: path.read_text() for path in sorted(paths)}
