"""What a person can mend ends every tool in one sentence and exit code 2, whichever class of error says it."""

import logging
import shutil

import pytest
import torch

import mobilenext
from mobilenext import exit_code
from mobilenext_det.deploy.runtime import DeployError
from mobilenext_det.errors import BadDataError, CheckpointError, UsageError
from tests.fixtures.shipped import TOY_DETECTOR


@pytest.fixture
def given(tools, toy_root, tmp_path, monkeypatch):
    """What the arguments below are filled in with."""
    monkeypatch.setenv('CXX', 'none')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    lists = tmp_path / 'empty' / 'VOC2007' / 'ImageSets' / 'Main'
    lists.mkdir(parents=True)
    for split in ('trainval', 'test'):
        (lists / f'{split}.txt').touch()
    for folder in ('pictures', 'tools', 'configs'):
        (tmp_path / folder).mkdir()
    shutil.copy(tools.root / 'tools' / 'model_zoo.py', tmp_path / 'tools')  # as installed: beside configs, without docs
    for name in ('damaged.pth', 'damaged.onnx', 'pictures/damaged.jpg'):
        (tmp_path / name).write_text('neither picture nor network')
    torch.save(torch.zeros(1), tmp_path / 'tensor.pth')
    work = f'--work-dir {tmp_path}/work'
    return dict(config=tools.config, checkpoint=TOY_DETECTOR, toy=f'--data-root {toy_root}', work=work, here=tmp_path)


MISSING = 'There is no config none.py.'
EMPTY = 'txt: the split file is empty; it must name one image a line.'
DAMAGED = 'damaged.pth cannot be read as a checkpoint (not written by torch.save).'
NO_TOY = 'There is no {here}/VOC2007/ImageSets/Main/trainval.txt'
NO_WEIGHTS = 'tensor.pth holds no weights: give it a checkpoint that training wrote.'


CASES = [
    ('train.py none.py', UsageError, MISSING),
    ('train.py {config} --data-root {here}/empty {work}', BadDataError, EMPTY),
    ('train.py {config} {toy} {work} --resume {here}/damaged.pth', CheckpointError, DAMAGED),
    ('test.py none.py {checkpoint}', UsageError, MISSING),
    ('test.py {config} {checkpoint} --data-root {here}/empty {work}', BadDataError, EMPTY),
    ('test.py {config} {here}/damaged.pth {toy} {work}', CheckpointError, DAMAGED),
    ('test.py {config} {here}/damaged.onnx {toy} {work}', DeployError, 'export it again.'),
    (
        'test.py {config} {checkpoint} {toy} {work} --report {here}/report --cfg-options '
        'test_evaluator.type=CocoMetric test_dataloader.num_workers=0',
        UsageError,
        "needs test_evaluator = dict(type='VOCAveragePrecision') in {config}; it has CocoMetric.",
    ),
    ('detect.py none.py {checkpoint} {here} --out {here}/out', UsageError, MISSING),
    ('detect.py {config} {here}/damaged.pth {here} --out {here}/out', CheckpointError, DAMAGED),
    ('detect.py {config} {here}/tensor.pth {here} --out {here}/out', CheckpointError, NO_WEIGHTS),
    ('export.py none.py {checkpoint} --out {here}/out', UsageError, MISSING),
    (
        'export.py {config} {checkpoint} --out {here}/out --format tflite',
        UsageError,
        'There is no format tflite: choose onnx, torchscript or executorch.',
    ),
    (
        'export.py {config} {checkpoint} --out {here}/out --format torchscript --quantize int8 {toy}',
        UsageError,
        'TorchScript files are written in fp32 only: choose onnx or executorch for int8.',
    ),
    ('export.py {config} {checkpoint} --out {here}/out --quantize int8 --data-root {here}/empty', BadDataError, EMPTY),
    ('export.py {config} {here}/damaged.pth --out {here}/out', CheckpointError, DAMAGED),
    (
        'export.py {config} {checkpoint} --out {here}/out --quantize int8 --calibration {here}/pictures',
        DeployError,
        'damaged.jpg is no picture that can be read.',
    ),
    ('prepare.py {here}/nowhere --out {here}/mine', BadDataError, 'There is no folder'),
    ('search.py none.py --out {here}/out', UsageError, MISSING),
    ('search_experiment.py none.py --retrain {config} --out {here}/out', UsageError, MISSING),
    ('publish.py none.pth {here}/out.pth', UsageError, 'There is no checkpoint none.pth.'),
    ('publish.py {here}/damaged.pth {here}/out.pth', CheckpointError, DAMAGED),
    ('publish.py {here}/tensor.pth {here}/out.pth', CheckpointError, NO_WEIGHTS),
    ('compare.py none.py {config} --out {here}/out', UsageError, MISSING),
    ('convert_weights.py none.pth {here}/out.pth', UsageError, 'There is no file none.pth.'),
    ('convert_weights.py {here}/damaged.pth {here}/out.pth', CheckpointError, DAMAGED),
    ('demo.py --data-root {here}/empty {work}', UsageError, 'delete this one.'),
    ('eval_voc.py --voc-root {here} --detections {here}', BadDataError, 'test.txt'),
    ('{here}/tools/model_zoo.py', UsageError, 'the page is made in a checkout of the repository.'),
    ('platforms.py --folder {here}/damaged.pth', UsageError, 'damaged.pth is no folder: name one'),
    ('build_mmcv.py --no-install', None, 'No C++ compiler was found; install g++'),
    ('analysis/complexity.py none.py', UsageError, MISSING),
    (
        'analysis/curves.py {here} --out {here}/out',
        UsageError,
        'holds no log of a training: name the work dir of a run, or a curve as JSON.',
    ),
    ('analysis/gradients.py none.py --out {here}/out', UsageError, MISSING),
    ('analysis/gradients.py {config} --out {here}/out --data-root {here}/empty', BadDataError, EMPTY),
    ('analysis/gradients.py {config}={here}/damaged.pth --out {here}/out {toy}', CheckpointError, DAMAGED),
    ('analysis/quantization.py none.py={checkpoint} --out {here}/out.json', UsageError, MISSING),
    (
        'analysis/quantization.py {config}={checkpoint} --out {here}/out.json --data-root {here}/empty',
        BadDataError,
        EMPTY,
    ),
    ('analysis/quantization.py {config}={here}/damaged.pth --out {here}/out.json {toy}', CheckpointError, DAMAGED),
    ('benchmark/all.py --data-root {here}', UsageError, NO_TOY),
    ('benchmark/deploy.py none.py={checkpoint} --out {here}/out', UsageError, MISSING),
    ('benchmark/deploy.py {config}={checkpoint} --out {here}/out --data-root {here}/empty', BadDataError, EMPTY),
    ('benchmark/deploy.py {config}={here}/damaged.pth --out {here}/out {toy}', CheckpointError, DAMAGED),
    (
        'benchmark/deploy.py {config}={checkpoint} --out {here}/out --forms tflite',
        UsageError,
        'There is no format tflite: choose onnx, torchscript or executorch.',
    ),
    ('benchmark/eval.py --images 0', UsageError, '--images 0 is too small: take 1 or more.'),
    (
        'benchmark/peers.py {config} --out {here}/out',
        UsageError,
        "is no config that tools/prepare.py wrote: there is no 'labels' in it.",
    ),
    ('benchmark/pipeline.py --data-root {here}', UsageError, NO_TOY),
    ('benchmark/pipeline.py --data-root {here}/empty', BadDataError, EMPTY),
    ('benchmark/predict.py --data-root {here}', UsageError, NO_TOY),
    ('benchmark/scale.py --out {here}/out --data-root {here}', UsageError, NO_TOY),
    ('benchmark/startup.py --data-root {here}', UsageError, NO_TOY),
    ('benchmark/train.py --data-root {here}', UsageError, NO_TOY),
    ('data/download_voc.py --out {here}/damaged.pth', None, 'damaged.pth'),
    ('data/make_toy_voc.py --out {here}/empty', UsageError, 'delete this one.'),
]


@pytest.mark.parametrize(('command', 'error', 'sentence'), CASES, ids=[case[0] for case in CASES])
def test_bad_input_ends_in_one_sentence(tools, given, capsys, monkeypatch, command, error, sentence):
    monkeypatch.setattr(logging, 'raiseExceptions', False)  # a logger of an earlier test has its closed stream
    name, *arguments = command.format(**given).split()
    raised = []

    def main():
        try:
            return tools.run(name, *arguments)
        except ValueError as said:
            raised.append(type(said))
            raise

    assert exit_code(main) == 2
    assert raised == ([error] if error else [])
    *progress, said = capsys.readouterr().err.splitlines()
    assert sentence.format(**given) in said
    assert not [line for line in progress if 'Traceback' in line or 'Error' in line]


def test_every_tool_is_given_bad_input():
    tried = {command.split('.py')[0].removeprefix('{here}/tools/') for command, *_ in CASES}
    assert {name.replace('/', ' ').replace('_', '-') for name in tried} == set(mobilenext.tools())


def test_help_names_every_format(tools, capsys):
    from mobilenext_det.deploy.formats import FORMATS

    with pytest.raises(SystemExit):
        tools.main('export.py', '--help')
    (line,) = (line for line in capsys.readouterr().out.splitlines() if '(default: onnx)' in line)
    assert all(name in line for name in FORMATS)
