import os
import runpy
import subprocess
from pathlib import Path

import pytest
import torch
from torch import nn

from mobilenext_det.convert import KINDS

EXPECTED = 'data/pretrained/mobilenext.pth'
CONFIG = 'ssdlite_mobilenext_voc.py'


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """A classifier as the authors' file holds it, with random weights."""
    build = runpy.run_path(str(Path(__file__).parents[1] / 'models' / 'test_mobilenext.py'))
    network = build['ReleasedNetwork']()
    network.classifier = nn.Sequential(nn.Dropout(), nn.Linear(1280, 10))
    state = {f'module.{key}': value for key, value in build['scramble'](network).state_dict().items()}
    path = tmp_path_factory.mktemp('source') / 'mnext.pth.tar'
    torch.save(dict(epoch=200, state_dict=state), path)
    return path


def test_the_three_lines_of_the_readme(tools, source, toy_root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # the config names the file from here
    assert tools.main('convert_weights.py', source, EXPECTED) == 0
    assert f'Next: python tools/train.py configs/{CONFIG}' in capsys.readouterr().out
    # Two iterations that change no parameter.
    short = [*tools.short, 'train_cfg.max_iters=2', 'optim_wrapper.optimizer.lr=0', 'train_dataloader.batch_size=2']
    arguments = ('--data-root', toy_root, '--work-dir', tmp_path / 'run', *short)
    assert tools.main('train.py', tools.root / 'configs' / CONFIG, *arguments) == 0
    output = capsys.readouterr().out
    assert f'load backbone. in model from: {EXPECTED}' in output
    assert 'trains from scratch' not in output
    weights = torch.load(tmp_path / EXPECTED, weights_only=True)['state_dict']
    trained = torch.load(tmp_path / 'run' / 'iter_2.pth', weights_only=True)['state_dict']
    parameters = [key for key in weights if key.startswith('backbone.') and key.endswith(('weight', 'bias'))]
    assert len(parameters) == 222
    for key in parameters:
        assert torch.equal(trained[key], weights[key]), key


def test_help_comes_before_any_heavy_import_and_names_the_kinds(tools):
    command = tools.command('convert_weights.py', '--help')
    result = subprocess.run([command[0], '-X', 'importtime', *command[1:]], capture_output=True, text=True)
    assert result.returncode == 0
    assert f'{{auto,{",".join(KINDS)}}}' in result.stdout
    assert 'torch' not in {line.rsplit('|')[-1].strip().split('.')[0] for line in result.stderr.splitlines()}


class Runs:
    def __reduce__(self):
        return os.system, ('touch ran',)


@pytest.mark.parametrize(
    ('make', 'arguments', 'sentence'),
    [
        (lambda path: None, (), 'There is no file weights.pth.'),
        (lambda path: path.write_text('<html>'), (), 'weights.pth cannot be read as a checkpoint ('),
        (lambda path: torch.save({'state_dict': {}, 'args': Runs()}, path), (), 'weights.pth needs posix.system, and'),
        (lambda path: torch.save({'a': torch.zeros(1)}, path), (), 'weights.pth is none of mobilenext-official, '),
        (
            lambda path: torch.save({'a': torch.zeros(1)}, path),
            ('--kind', 'paddle'),
            'weights.pth cannot be read as a file of Paddle (not written by paddle.save).',
        ),
    ],
)
def test_what_is_refused_is_refused_in_a_sentence(make, arguments, sentence, tools, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / 'weights.pth')
    assert tools.main('convert_weights.py', 'weights.pth', 'out.pth', *arguments) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and said[0].startswith(sentence)
    assert not {'out.pth', 'ran'} & {path.name for path in tmp_path.iterdir()}
