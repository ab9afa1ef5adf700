import pytest

from mobilenext_det.datasets.toy_voc import make_toy_voc
from mobilenext_det.deploy.evaluate import evaluate_exported
from mobilenext_det.engine.evaluate import evaluate

NO_WORKERS = ('test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False')


def test_an_exported_file_is_judged_as_its_checkpoint_is(trained, onnx_path, tmp_path, request):
    make_toy_voc(tmp_path / 'toy', trainval=1, test=30, workers=1)
    config = trained.model.cfg.filename
    (checkpoint,) = (request.config.rootpath / 'checkpoints').glob('ssdlite_*.pth')
    settings = dict(work_dir=str(tmp_path / 'work'), cfg_options=NO_WORKERS, data_root=str(tmp_path / 'toy'))
    wanted = evaluate(config, str(checkpoint), **settings)
    found = evaluate_exported(config, str(onnx_path), **settings)
    assert wanted['voc/mAP_11points'] > 0.5
    assert found == pytest.approx(wanted, abs=1e-3)
