import os

import pytest

from mobilenext_det.engine.run_files import run_files
from mobilenext_det.errors import UsageError


def test_the_best_checkpoint_counts_then_the_last(tmp_path):
    with pytest.raises(UsageError, match='holds no config, not one training'):
        run_files(tmp_path)
    (tmp_path / 'mine.py').touch()
    with pytest.raises(UsageError, match='holds no checkpoint yet'):
        run_files(tmp_path)
    (tmp_path / 'iter_2.pth').touch()
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_2.pth'))
    assert run_files(tmp_path) == (tmp_path / 'mine.py', tmp_path / 'iter_2.pth')
    for name, time in (('best_voc_mAP_area_iter_9.pth', 1), ('best_voc_mAP_area_iter_10.pth', 2)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    assert run_files(tmp_path).checkpoint == tmp_path / 'best_voc_mAP_area_iter_10.pth'
    (tmp_path / 'other.py').touch()
    with pytest.raises(UsageError, match=r'2 configs \(mine.py, other.py\)'):
        run_files(tmp_path)
