from types import SimpleNamespace

import pytest

from mobilenext_det.own_data.prepare import prepare
from tests.own_data.label_formats import voc


@pytest.fixture
def prepared(tmp_path):
    """A config for four images of two classes, and the folder of its runs."""
    voc(tmp_path / 'photos')
    made = prepare(tmp_path / 'photos', tmp_path / 'mine', input_size=160)
    return SimpleNamespace(config=str(made.config), parts=made.parts, out=tmp_path / 'runs')
