"""MMDetection's own tools on a config of this project: those that look at a detector, its data or its log."""

import runpy
import sys
from pathlib import Path

import mmdet
import pytest

from tests.fixtures.shipped import TOY_DETECTOR

STOCK = Path(mmdet.__file__).parent / '.mim' / 'tools'


@pytest.fixture(scope='module')
def run(tools, toy_root, tmp_path_factory):
    """Run a stock tool in this process, in a folder of its own."""
    folder = tmp_path_factory.mktemp('stock')

    def run(name, *arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setenv('MOBILENEXT_DATA_ROOT', str(toy_root))
            patch.setattr(sys, 'argv', [name, *map(str, arguments)])
            runpy.run_path(str(STOCK / name), run_name='__main__')
        return folder

    return run


@pytest.fixture(scope='module')
def detections(tools, toy_root, tmp_path_factory):
    """What the trained detector of the repository finds, as test.py --out writes it."""
    folder = tmp_path_factory.mktemp('found')
    arguments = ['--data-root', toy_root, '--work-dir', folder, '--out', folder / 'found.pkl', *tools.short]
    assert tools.main('test.py', tools.config, TOY_DETECTOR, *arguments) == 0
    return folder / 'found.pkl'


def test_a_detector_is_evaluated(run, tools, toy_root, capsys):
    run('test.py', tools.config, TOY_DETECTOR, '--work-dir', 'work', '--cfg-options', 'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False')  # fmt: skip
    assert 'voc/mAP_11points: ' in capsys.readouterr().out


@pytest.mark.parametrize(
    'name, arguments, sign',
    [
        ('misc/print_config.py', ['{config}'], "type='SSDLite'"),
        ('analysis_tools/get_flops.py', ['{config}'], 'Flops'),
        ('analysis_tools/confusion_matrix.py', ['{config}', '{found}', 'matrix'], ''),
        ('analysis_tools/browse_dataset.py', ['{config}', '--output-dir', 'browsed', '--not-show'], ''),
        ('analysis_tools/analyze_logs.py', ['plot_curve', '{log}', '--keys', 'loss', '--out', 'curve.png'], ''),
        ('analysis_tools/analyze_logs.py', ['cal_train_time', '{log}'], 'average iter time'),
    ],
    ids=lambda value: Path(value).stem if isinstance(value, str) else '',
)
def test_a_tool_of_analysis_and_misc(run, tools, detections, trained, capsys, name, arguments, sign):
    (log,) = trained.glob('*/vis_data/scalars.json') if '{log}' in arguments else [None]
    run(name, *(part.format(config=tools.config, found=detections, log=log) for part in arguments))
    assert sign in capsys.readouterr().out
