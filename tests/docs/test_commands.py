"""Every command in the docs is one that its tool takes, and names configs and checkpoints that are there."""

import argparse
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mobilenext

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r'^```(?:bash)?\n(.*?)^```', re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r'^    (.+)$', re.MULTILINE)
INLINE = re.compile(r'`([^`\n]+)`')
LAUNCHED = re.compile(r'(?:[A-Z_]+=\S+ )*(python tools/|bash tools/dist_|python -m mobilenext_det|mobilenext |make )')
FILES = re.compile(r'(?:configs|checkpoints|docs/comparison|requirements|tests)/[\w/*.-]+')


def commands(text: str) -> Iterator[str]:
    """Yield the command lines of a page; continued lines are joined, comments go."""
    lines = [line for block in FENCED.findall(text) for line in block.replace('\\\n', ' ').splitlines()]
    lines += INDENTED.findall(text) + INLINE.findall(text)
    for line in lines:
        for command in re.sub(r'\s#.*', '', line).split(' && '):
            if LAUNCHED.match(command.strip()):
                yield command.strip()


def parse(tool: Path, arguments: list[str], monkeypatch) -> None:
    """Parse arguments as the tool does; whatever `...` stands for is left out."""
    spec = importlib.util.spec_from_file_location(f'docs_{tool.stem}', tool)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    with monkeypatch.context() as patch:
        patch.setattr(sys, 'argv', [str(tool), *arguments])
        if hasattr(module, 'parse_args'):
            module.parse_args()
            return
        original = argparse.ArgumentParser.parse_args
        patch.setattr(argparse.ArgumentParser, 'parse_args', lambda parser: _Parsed.stop(original(parser)))
        with pytest.raises(_Parsed):
            module.main()


class _Parsed(Exception):
    """The end of a tool that has no parse_args of its own: its arguments were right, and nothing is run."""

    @classmethod
    def stop(cls, _: argparse.Namespace) -> None:
        raise cls


def check(command: str, targets: set[str], monkeypatch) -> None:
    """Raise if a command cannot be run as it stands, but for what its capitals are placeholders of."""
    words = [word for word in shlex.split(command.replace('[', '').replace(']', '')) if word != '...']
    for name in FILES.findall(command):
        assert any(ROOT.glob(name)), f'there is no {name}'
    while '=' in words[0]:  # a variable of the environment
        del words[0]
    if words[0] == 'make':
        assert set(words[1:]) <= targets, 'no such target'
        return
    if words[0] == 'mobilenext':
        if words[1] in ('--help', 'COMMAND'):
            return
        tools = mobilenext.tools()
        length = next(length for length in (2, 1) if ' '.join(words[1 : 1 + length]) in tools)
        tool, arguments = tools[' '.join(words[1 : 1 + length])], words[1 + length :]
    elif words[1] == '-m':
        assert importlib.util.find_spec(words[2]), f'there is no module {words[2]}'
        return
    elif words[0] == 'bash':  # CONFIG [CHECKPOINT] PROCESSES, then what tools/train.py or test.py takes
        tool = ROOT / words[1].replace('dist_', '').replace('.sh', '.py')
        count = 3 if tool.stem == 'train' else 4
        assert (ROOT / words[1]).is_file() and words[count].isdigit()
        arguments = words[2:count] + words[count + 1 :]
    else:
        tool, arguments = ROOT / words[1], words[2:]
    assert tool.is_file(), f'there is no {tool.relative_to(ROOT)}'
    if not arguments or '--help' in arguments:  # the tool itself is meant
        return
    parse(tool, arguments, monkeypatch)


def test_every_command_in_the_docs_can_be_run(pages, monkeypatch, capsys):
    targets = set(re.findall(r'^([a-z]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    wrong, checked = [], 0
    for page, text in pages.items():
        for command in commands(text):
            checked += 1
            try:
                check(command, targets, monkeypatch)
            except (AssertionError, SystemExit, StopIteration) as error:
                wrong.append(f'{page.relative_to(ROOT)}: {command}\n{error} {capsys.readouterr().err}')
    assert not wrong, '\n'.join(wrong)
    assert checked > 60


@pytest.mark.parametrize(
    'command',
    [
        'python tools/train.py CONFIG --no-such-option',
        'python tools/gone.py CONFIG',
        'python tools/train.py configs/gone.py',
        'mobilenext gone CONFIG',
        'bash tools/dist_train.sh CONFIG --resume',
        'make gone',
    ],
)
def test_one_that_cannot_is_found(command, monkeypatch):
    with pytest.raises((AssertionError, SystemExit, StopIteration)):
        check(command, {'demo'}, monkeypatch)
