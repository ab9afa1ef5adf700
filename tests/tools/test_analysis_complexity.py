"""The integers of all detectors through the command, and its tables."""

import json

import pytest

# Parameters and multiply-adds of backbone, neck, head and total at 320 pixels.
PINNED = {
    'mobilenext': ((2254416, 700672, 521220, 3476308), (632780800, 13005824, 62939904, 708726528)),
    'mobilenetv2': ((2223872, 774016, 428100, 3425988), (611212800, 40560768, 30674304, 682447872)),
    'mobilenetv2_expansion': ((2223872, 774016, 511620, 3509508), (611212800, 40560768, 62930304, 714703872)),
}
COCO = {'mobilenext': (4561348, 843602688), 'mobilenetv2': (4315188, 748180992)}


def run(tools, capsys, *arguments):
    assert tools.main('analysis/complexity.py', *arguments) == 0
    return capsys.readouterr().out


def test_voc_detectors(tools, capsys):
    paths = {name: str(tools.root / 'configs' / f'ssdlite_{name}_voc.py') for name in PINNED}
    results = json.loads(run(tools, capsys, *paths.values(), '--json'))
    for name, (params, madds) in PINNED.items():
        parts = ('backbone', 'neck', 'head', 'total')
        assert results[paths[name]] == {
            part: dict(params=p, madds=m) for part, p, m in zip(parts, params, madds, strict=True)
        }


@pytest.mark.parametrize('name', COCO)
def test_coco_detectors(name, tools, capsys, tmp_path):
    config = tmp_path / 'coco.py'
    base = str(tools.root / 'configs' / f'ssdlite_{name}_voc.py')
    config.write_text(f'_base_ = {base!r}\nmodel = dict(bbox_head=dict(num_classes=80))\n')
    result = json.loads(run(tools, capsys, config, '--size', 320, '--json'))
    assert (result['total']['params'], result['total']['madds']) == COCO[name]


def test_tables(tools, capsys):
    lines = run(tools, capsys, tools.config).splitlines()
    assert lines[0].split() == ['|', 'part', '|', 'params', '|', 'MAdds', '|']
    assert lines[2].split() == ['|', 'backbone', '|', '632,976', '|', '54,265,248', '|']
    (stage,) = (line for line in lines if line.startswith('| backbone.stages.3 '))
    # 24 x 24 cells of 64 channels to 32, and batch norm's two parameters for each of those.
    cells = [cell.strip() for cell in stage.strip('|').split('|')]
    assert cells[1:] == ['0.reduce', '1x1, 64 to 32', f'{64 * 32 + 2 * 32:,}', f'{24 * 24 * 64 * 32:,}']
    row = run(tools, capsys, tools.config, tools.root / 'configs' / 'ssdlite_mobilenext_w035_voc.py').splitlines()[2]
    assert row.split()[1::2][:5] == ['ssdlite_mobilenext_toy', '632,976', '700,672', '455,796', '1,789,444']


def test_what_is_wrong_is_said(tools, capsys):
    assert tools.main('analysis/complexity.py', 'nowhere.py') == 2
    assert capsys.readouterr().err == 'There is no config nowhere.py.\n'
    with pytest.raises(SystemExit):
        tools.main('analysis/complexity.py')
    assert 'give either configs or --paper' in capsys.readouterr().err
