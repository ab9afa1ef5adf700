import hashlib

import pytest
import torch

from mobilenext_det.checkpoints.publish import publish
from mobilenext_det.errors import UsageError

WEIGHTS = {
    'conv.weight': torch.randn(64, 32, 3, 3),
    'norm.weight': torch.rand(64),
    'norm.running_var': torch.full((64,), 1e6),  # more than half precision can hold
    'norm.num_batches_tracked': torch.tensor(7),
}


def trained(path, classes=('cat', 'dog')):
    saved = {
        'meta': {'dataset_meta': {'classes': classes, 'palette': [(1, 2, 3)]}, 'cfg': 'data_root = "elsewhere"'},
        'state_dict': WEIGHTS,
        'optimizer': {'state': {0: torch.rand(1000)}},
    }
    torch.save(saved, path)
    return str(path)


def test_weights_and_class_names_are_left_and_the_name_holds_the_digest(tmp_path):
    path = publish(trained(tmp_path / 'iter_8.pth'), str(tmp_path / 'new' / 'model.pth'))
    assert path.parent == tmp_path / 'new'
    assert path.name == f'model-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth'
    left = torch.load(path, weights_only=True)
    assert left['meta'] == {'dataset_meta': {'classes': ('cat', 'dog')}}
    assert set(left) == {'meta', 'state_dict'}
    assert {name: value.dtype for name, value in left['state_dict'].items()} == {
        'conv.weight': torch.float16,
        'norm.weight': torch.float32,
        'norm.running_var': torch.float32,
        'norm.num_batches_tracked': torch.int64,
    }
    for name, value in WEIGHTS.items():
        torch.testing.assert_close(left['state_dict'][name].to(value.dtype), value, rtol=1e-3, atol=1e-6)


def test_the_same_weights_make_the_same_file(tmp_path):
    source = trained(tmp_path / 'iter_8.pth')
    paths = [publish(source, str(tmp_path / folder / 'model.pth')) for folder in 'ab']
    assert paths[0].name == paths[1].name


def test_a_checkpoint_without_class_names_is_refused(tmp_path):
    torch.save({'state_dict': WEIGHTS}, tmp_path / 'bare.pth')
    with pytest.raises(UsageError, match=r'bare\.pth holds no class names'):
        publish(str(tmp_path / 'bare.pth'), str(tmp_path / 'model.pth'))
    with pytest.raises(UsageError, match=r'no checkpoint .*missing\.pth'):
        publish(str(tmp_path / 'missing.pth'), str(tmp_path / 'model.pth'))


def test_a_backbone_alone_is_named_as_detectors_want_it(tmp_path):
    torch.save(
        {'state_dict': {f'students.one.backbone.{key}': value for key, value in WEIGHTS.items()}}, tmp_path / 'a'
    )
    path = publish(tmp_path / 'a', tmp_path / 'one.pth', backbone='students.one.backbone.')
    left = torch.load(path, weights_only=True)
    assert left['meta'] == {}
    assert left['state_dict'].keys() == {f'backbone.{key}' for key in WEIGHTS}
    with pytest.raises(UsageError, match=r'no weights that begin with backbone\.: its first is students\.one'):
        publish(tmp_path / 'a', tmp_path / 'one.pth', backbone='backbone.')
