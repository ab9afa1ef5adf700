"""The tool on a toy set: what it writes, that a seed repeats it, and what it says about bad input."""

import json

import pytest
from PIL import Image, ImageColor

from mobilenext_det.display.palette import PALETTE

SMALL = ('--batches', 3, '--cfg-options', 'train_dataloader.batch_size=2', 'train_dataloader.num_workers=0')


@pytest.fixture(scope='module')
def compared(tools, toy_root, trained, tmp_path_factory):
    """Our network at the start and after eight iterations, and its sibling at the start."""
    folder = tmp_path_factory.mktemp('gradients')
    sibling = tools.root / 'configs' / 'compare' / 'toy_mobilenetv2_expansion.py'
    networks = (tools.config, f'{tools.config}={trained / "iter_8.pth"}', sibling)
    assert tools.main('analysis/gradients.py', *networks, '--out', folder, '--data-root', toy_root, *SMALL) == 0
    return folder


def test_numbers(compared):
    record = json.loads((compared / 'gradients.json').read_text())
    assert (record['batches'], record['seed'], record['dtype']) == (3, 0, 'float32')
    ours, later, sibling = record['measurements']
    assert [(m['network'], m['point']) for m in (ours, later, sibling)] == [
        ('ssdlite_mobilenext_toy', 'init'),
        ('ssdlite_mobilenext_toy', 'iter_8'),
        ('toy_mobilenetv2_expansion', 'init'),
    ]
    stages = [f'stages.{stage}' for stage in range(8)]
    assert [*ours['confusion']] == ['network', 'stem', *stages, 'neck', 'head']
    layers = [f'layer{layer}' for layer in range(1, 8)]
    assert [*sibling['confusion']] == ['network', 'conv1', *layers, 'conv2', 'neck', 'head']
    for measurement in (ours, later, sibling):
        assert all(len(c['cosines']) == 3 for c in measurement['confusion'].values())
        assert all(-1 <= cosine <= 1 for c in measurement['confusion'].values() for cosine in c['cosines'])
        for block in measurement['bottlenecks']:
            assert 1 <= block['rank_after'] <= block['channels_after']
            assert 1 <= block['rank_before'] <= block['channels_before']
            assert 0 <= block['input_lost'] <= 1 and 0 <= block['wide_lost'] <= 1
    assert [len(m['bottlenecks']) for m in (ours, sibling)] == [20, 17]
    assert later['loss'] < ours['loss']  # eight steps were taken


def test_pictures_show_both_networks(compared):
    for name in ('cosines', 'cosines_by_stage', 'information'):
        with Image.open(compared / f'{name}.png') as picture:
            counts = {colour: count for count, colour in picture.convert('RGB').getcolors(10**6)}
        for colour in PALETTE[:2]:
            assert counts.get(ImageColor.getrgb(colour), 0) > 100


def test_a_seed_repeats_it(compared, tools, toy_root, tmp_path, capsys):
    assert tools.main('analysis/gradients.py', tools.config, '--out', tmp_path, '--data-root', toy_root, *SMALL) == 0
    first, second = (json.loads((folder / 'gradients.json').read_text()) for folder in (compared, tmp_path))
    again = second['measurements'][0]
    assert again['loss'] == pytest.approx(first['measurements'][0]['loss'], rel=1e-5)
    expected = first['measurements'][0]['confusion']['network']['cosines']
    assert again['confusion']['network']['cosines'] == pytest.approx(expected, abs=1e-3)
    printed = capsys.readouterr().out
    assert '| ssdlite_mobilenext_toy | init  |' in printed and '| negative pairs |' in printed


def test_what_is_wrong_is_said(tools, toy_root, tmp_path, capsys, trained):
    def said(*arguments):
        assert tools.main('analysis/gradients.py', *arguments, '--out', tmp_path, '--data-root', toy_root) == 2
        return capsys.readouterr().err

    assert said('nowhere.py') == 'There is no config nowhere.py.\n'
    assert said(f'{tools.config}=nowhere.pth') == 'There is no checkpoint nowhere.pth.\n'
    assert '--batches must be 2 or more' in said(tools.config, '--batches', 1)
    wider = tools.root / 'configs' / 'ssdlite_mobilenext_w050_voc.py'
    assert 'does not fit' in said(f'{wider}={trained / "iter_8.pth"}')
