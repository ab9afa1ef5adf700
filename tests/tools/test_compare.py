"""A whole comparison as a person runs it: two tiny configs, two seeds, killed on the way and gone on with."""

import io
import json
import re
import shutil
import subprocess
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

CONFIG = """
_base_ = '{base}'
input_size = 160
resize = dict(type='Resize', scale=(input_size, input_size), keep_ratio=False)
train_pipeline = [resize if t.type == 'Resize' else t for t in _base_.train_pipeline]
test_pipeline = [resize if t.type == 'Resize' else t for t in _base_.test_pipeline]
train_dataloader = dict(batch_size=4, num_workers=0, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=4, num_workers=0, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
model = dict(
    bbox_head=dict(anchor_generator=dict(input_size=input_size)),
    test_cfg=dict(score_thr=0.05),
)
train_cfg = dict(max_iters=6, val_interval=3)
default_hooks = dict(checkpoint=dict(interval=2), logger=dict(interval=1))
"""


ALIKE = ('OMP_NUM_THREADS', 'CUDA_VISIBLE_DEVICES')  # results are the same to the bit where these are


class Compared(NamedTuple):
    """The folder of a comparison, and what it printed when it went on."""

    out: Path
    printed: str
    said: str


@pytest.fixture(scope='module')
def configs(tools, tmp_path_factory):
    folder = tmp_path_factory.mktemp('configs')
    for name, base in (('narrow', 'ssdlite_mobilenext_w035_voc'), ('wide', 'ssdlite_mobilenext_w050_voc')):
        (folder / f'{name}.py').write_text(CONFIG.format(base=tools.root / 'configs' / f'{base}.py'))
    return [folder / 'narrow.py', folder / 'wide.py']


def steps(work_dir):
    """The training iterations logged by each process of a run, in the order of their start."""
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    entries = [[json.loads(line) for line in log.read_text().splitlines()] for log in logs]
    return [of_log for log in entries if (of_log := [entry['step'] for entry in log if 'loss' in entry])]


def wait_until(condition, process):
    while not condition():
        assert process.poll() is None, 'the comparison ended before it could be killed'
        time.sleep(0.05)


@pytest.fixture(scope='module')
def compared(tools, toy_root, configs, tmp_path_factory):
    """A comparison that was killed within its second run, and went on."""
    out = tmp_path_factory.mktemp('comparison')
    arguments = ['compare.py', *configs, '--seeds', 2, '--data-root', toy_root, '--out', out]
    process = subprocess.Popen(
        tools.command(*arguments), env=tools.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    second = out / 'work' / 'wide-seed0'
    wait_until(lambda: (second / 'iter_2.pth').exists(), process)
    process.kill()
    process.wait()
    finished = (out / 'runs' / 'narrow-seed0.json').read_bytes()
    printed, said = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(said):
        for name in ALIKE:
            patch.setenv(name, tools.env[name])
        assert tools.main(*arguments, '--latency') == 0
    assert (out / 'runs' / 'narrow-seed0.json').read_bytes() == finished
    return Compared(out, printed.getvalue(), said.getvalue())


def test_a_killed_comparison_goes_on_where_it_was(compared):
    out, _, said = compared
    assert '1 of 4 runs are finished already.' in said
    assert sorted(path.name for path in (out / 'runs').iterdir()) == [
        f'{name}-seed{seed}.json' for name in ('narrow', 'wide') for seed in (0, 1)
    ]
    assert steps(out / 'work' / 'narrow-seed0') == [[1, 2, 3, 4, 5, 6]]
    killed = steps(out / 'work' / 'wide-seed0')
    assert killed[1][0] in (3, 5)  # the last checkpoint before the kill was of iteration 2 or 4
    assert killed[1][-1] == 6


def test_a_run_holds_what_the_report_needs(compared):
    out = compared.out
    run = json.loads((out / 'runs' / 'wide-seed0.json').read_text())
    assert [step for step, *_ in run['curve']['validation']] == [3, 6]
    assert [step for step, _ in run['curve']['loss']] == [1, 2, 3, 4, 5, 6]
    assert run['training']['iterations'] == 6
    assert run['training']['images_per_second'] > 0
    assert run['model']['total']['params'] > run['model']['backbone']['params'] > 800_000
    assert run['model']['weights_bytes'] > 4 * run['model']['total']['params']
    assert run['outcomes']['images'] == 4
    # The last validation of the training and the evaluation afterwards are of the same weights.
    assert run['curve']['validation'][-1][1:] == pytest.approx(
        [run['metrics'][f'mAP_{m}'] for m in ('11points', 'area')], rel=1e-4
    )
    seeds = [json.loads((out / 'runs' / f'wide-seed{seed}.json').read_text()) for seed in (0, 1)]
    assert seeds[0]['curve']['loss'] != seeds[1]['curve']['loss']
    assert seeds[0]['identity'] == seeds[1]['identity']


def test_the_report_is_there_and_is_rebuilt_from_the_runs_alone(tools, compared, tmp_path):
    out, printed, _ = compared
    for text in ('mAP 11 points', 'ONNX Runtime int8, ms', 'narrow', 'wide', f'The report is {out}/comparison.html.'):
        assert text in printed
    shutil.copytree(out / 'runs', tmp_path / 'runs')
    shutil.copy(out / 'latency.json', tmp_path)
    assert tools.main('compare.py', '--report-only', '--out', tmp_path) == 0
    for name in ('comparison.json', 'comparison.md'):
        assert (tmp_path / name).read_text() == (out / name).read_text()
    numbers = json.loads((tmp_path / 'comparison.json').read_text())
    assert [config['runs'] for config in numbers['configs'].values()] == [2, 2]
    latencies = numbers['latency']['rows']
    assert [(row['network'], row['form'], row['precision']) for row in latencies] == [
        (network, *form)
        for network in ('narrow', 'wide')
        for form in (('pytorch', 'fp32'), ('onnx', 'fp32'), ('onnx', 'int8'))
    ]
    assert all(row['milliseconds'] > 0 for row in latencies)
    assert len(re.findall('data:image/webp', (tmp_path / 'comparison.html').read_text())) == 4


def test_a_checkpoint_joins_finished_runs_without_training(tools, toy_root, configs, compared, tmp_path, monkeypatch):
    for name in ALIKE:
        monkeypatch.setenv(name, tools.env[name])
    out = compared.out
    shutil.copytree(out / 'runs', tmp_path / 'runs', ignore=shutil.ignore_patterns('wide*'))
    checkpoint = out / 'work' / 'wide-seed0' / 'iter_6.pth'
    given = f'{configs[1]}={checkpoint}'
    arguments = (configs[0], given, '--seeds', 2, '--data-root', toy_root, '--out', tmp_path)
    assert tools.main('compare.py', *arguments) == 0
    trained, evaluated = (json.loads((folder / 'runs' / 'wide-seed0.json').read_text()) for folder in (out, tmp_path))
    assert evaluated['metrics'] == trained['metrics']
    assert evaluated['outcomes'] == trained['outcomes']
    assert evaluated['training'] is None
    numbers = json.loads((tmp_path / 'comparison.json').read_text())
    assert {name: config['runs'] for name, config in numbers['configs'].items()} == {'narrow': 2, 'wide': 1}


def test_a_run_that_fails_says_why(tools, toy_root, configs, tmp_path, capfd):
    (tmp_path / 'broken.py').write_text(f"_base_ = '{configs[0]}'\nmodel = dict(backbone=dict(widen_factor=-1))\n")
    code = tools.main('compare.py', tmp_path / 'broken.py', configs[1], '--data-root', toy_root, '--out', tmp_path)
    assert code == 2
    said = capfd.readouterr().err.splitlines()[-1]
    assert said.startswith('broken with seed 0 failed (exit code 1); ')
    assert 'broken-seed0.log ends with: ' in said
