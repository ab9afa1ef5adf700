"""The checkpoint in the repository is what its name says and finds what docs/results.md says."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from mobilenext_det.datasets.toy_voc import make_toy_voc
from mobilenext_det.engine.run import evaluate

ROOT = Path(__file__).parents[1]
(FILE,) = (ROOT / 'checkpoints').glob('*.pth')


def test_the_name_holds_the_digest_and_the_file_only_tensors_and_class_names():
    assert FILE.stem.rpartition('-')[2] == hashlib.sha256(FILE.read_bytes()).hexdigest()[:8]
    assert FILE.stat().st_size < 5e6
    saved = torch.load(FILE, weights_only=True)
    assert set(saved) == {'meta', 'state_dict'}
    assert set(saved['meta']) == {'dataset_meta'}
    assert all(isinstance(value, torch.Tensor) for value in saved['state_dict'].values())


def test_it_finds_the_objects_of_held_out_scenes(tmp_path):
    make_toy_voc(tmp_path / 'toy', trainval=1, test=120, workers=1)
    workers = ('test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False')
    scores = evaluate(
        str(ROOT / 'configs' / 'ssdlite_mobilenext_toy.py'),
        str(FILE),
        work_dir=str(tmp_path / 'work'),
        cfg_options=workers,
        data_root=str(tmp_path / 'toy'),
    )
    whole = json.loads((ROOT / 'docs' / 'toy_curve.json').read_text())['val'][-1]['mAP_11points']
    # The first 120 of the 500 scenes that the figure is for.
    assert scores['voc/mAP_11points'] == pytest.approx(whole, abs=0.05)
