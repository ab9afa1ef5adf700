"""What a person can mend ends every tool in one sentence and exit code 2, whichever class of error says it."""

import pytest
import torch


@pytest.fixture
def given(tools, toy_root, tmp_path):
    """What the arguments below are filled in with."""
    lists = tmp_path / 'empty' / 'VOC2007' / 'ImageSets' / 'Main'
    lists.mkdir(parents=True)
    for split in ('trainval', 'test'):
        (lists / f'{split}.txt').touch()
    (tmp_path / 'pictures').mkdir()
    for name in ('damaged.pth', 'damaged.onnx', 'pictures/damaged.jpg'):
        (tmp_path / name).write_text('neither picture nor network')
    torch.save(torch.zeros(1), tmp_path / 'tensor.pth')
    (checkpoint,) = (tools.root / 'checkpoints').glob('ssdlite_*.pth')
    work = f'--work-dir {tmp_path}/work'
    return dict(config=tools.config, checkpoint=checkpoint, toy=f'--data-root {toy_root}', work=work, here=tmp_path)


MISSING = 'There is no config none.py.'
EMPTY = 'txt: the split file is empty; it must name one image a line.'
DAMAGED = 'damaged.pth cannot be read as a checkpoint (not written by torch.save).'
NO_WEIGHTS = 'tensor.pth holds no weights: give it a checkpoint that training wrote.'


@pytest.mark.parametrize(
    ('command', 'sentence'),
    [
        ('train.py none.py', MISSING),
        ('train.py {config} --data-root {here}/empty {work}', EMPTY),
        ('train.py {config} {toy} {work} --resume {here}/damaged.pth', DAMAGED),
        ('test.py none.py {checkpoint}', MISSING),
        ('test.py {config} {checkpoint} --data-root {here}/empty {work}', EMPTY),
        ('test.py {config} {here}/damaged.pth {toy} {work}', DAMAGED),
        ('test.py {config} {here}/damaged.onnx {toy} {work}', 'export it again.'),
        (
            'test.py {config} {checkpoint} {toy} {work} --report {here}/report --cfg-options '
            'test_evaluator.type=CocoMetric test_dataloader.num_workers=0',
            "needs test_evaluator = dict(type='VOCAveragePrecision') in {config}; it has CocoMetric.",
        ),
        ('detect.py none.py {checkpoint} {here} --out {here}/out', MISSING),
        ('detect.py {config} {here}/damaged.pth {here} --out {here}/out', DAMAGED),
        ('detect.py {config} {here}/tensor.pth {here} --out {here}/out', NO_WEIGHTS),
        ('export.py none.py {checkpoint} --out {here}/out', MISSING),
        (
            'export.py {config} {checkpoint} --out {here}/out --format tflite',
            'There is no format tflite: choose onnx, torchscript or executorch.',
        ),
        (
            'export.py {config} {checkpoint} --out {here}/out --format torchscript --quantize int8 {toy}',
            'TorchScript files are written in fp32 only: choose onnx or executorch for int8.',
        ),
        ('export.py {config} {checkpoint} --out {here}/out --quantize int8 --data-root {here}/empty', EMPTY),
        ('export.py {config} {here}/damaged.pth --out {here}/out', DAMAGED),
        (
            'export.py {config} {checkpoint} --out {here}/out --quantize int8 --calibration {here}/pictures',
            'damaged.jpg is no picture that can be read.',
        ),
        ('publish.py none.pth {here}/out.pth', 'There is no checkpoint none.pth.'),
        ('publish.py {here}/damaged.pth {here}/out.pth', DAMAGED),
        ('publish.py {here}/tensor.pth {here}/out.pth', NO_WEIGHTS),
        ('analysis/quantization.py none.py={checkpoint} --out {here}/out.json', MISSING),
        ('analysis/quantization.py {config}={checkpoint} --out {here}/out.json --data-root {here}/empty', EMPTY),
        ('analysis/quantization.py {config}={here}/damaged.pth --out {here}/out.json {toy}', DAMAGED),
    ],
)
def test_bad_input_ends_in_one_sentence(tools, given, capsys, command, sentence):
    assert tools.main(*command.format(**given).split()) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(sentence.replace('{config}', str(tools.config)))


def test_help_names_every_format(tools, capsys):
    from mobilenext_det.deploy.formats import FORMATS

    with pytest.raises(SystemExit):
        tools.main('export.py', '--help')
    (line,) = (line for line in capsys.readouterr().out.splitlines() if '(default: onnx)' in line)
    assert all(name in line for name in FORMATS)
