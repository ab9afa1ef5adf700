import pytest

from mobilenext_det.datasets.toy_voc import make_toy_voc
from mobilenext_det.deploy.evaluate import evaluate_exported
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.evaluate import evaluate
from tests.fixtures.shipped import TOY_DETECTOR

NO_WORKERS = ('test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False')


def test_an_exported_file_is_judged_as_its_checkpoint_is(trained, onnx_path, tmp_path):
    make_toy_voc(tmp_path / 'toy', trainval=1, test=30, workers=1)
    config = load_config(trained.config.filename, NO_WORKERS, tmp_path / 'toy')
    wanted = evaluate(config, TOY_DETECTOR, work_dir=tmp_path / 'work').scores
    found, summary, _ = evaluate_exported(config, onnx_path, work_dir=tmp_path / 'work')
    assert wanted['voc/mAP_11points'] > 0.5
    assert found == pytest.approx(wanted, abs=1e-3)
    assert summary.mAP_11points == found['voc/mAP_11points']
