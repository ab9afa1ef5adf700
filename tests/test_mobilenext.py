"""The console command: its map, its way to the tools, and that neither pays for what it does not use."""

import subprocess
import sys

import pytest

import mobilenext

COMMAND = [sys.executable, '-X', 'importtime', mobilenext.__file__]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process; return its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['mobilenext', *arguments])
        try:
            code = mobilenext.main()
        except SystemExit as end:  # how a tool ends
            code = end.code
        return code, capsys.readouterr()

    return run


def test_help_is_the_map_of_all_tools_and_imports_nothing_heavy():
    process = subprocess.run([*COMMAND, '--help'], capture_output=True, text=True)
    assert process.returncode == 0
    lines = process.stdout.splitlines()
    for name, file in mobilenext.tools().items():
        (line,) = (line for line in lines if line.startswith(f'  {name}  '))
        sentence = line.removeprefix(f'  {name}').strip()
        assert sentence and sentence in file.read_text()
    imported = {line.rsplit('|')[-1].strip().split('.')[0] for line in process.stderr.splitlines()}
    assert 'argparse' not in imported
    assert not imported & {'torch', 'numpy', 'mmengine', 'mmdet', 'mobilenext_det'}


def test_every_tool_is_a_command():
    assert {'train', 'test', 'detect', 'export', 'compare', 'benchmark train', 'data make-toy-voc'} <= set(
        mobilenext.tools()
    )
    assert all(file.suffix == '.py' for file in mobilenext.tools().values())


def test_no_arguments_give_the_map(run):
    assert run() == run('--help') == run('-h')


@pytest.mark.parametrize('arguments', [['trian'], ['benchmark'], ['benchmark', 'trian'], ['--version']])
def test_an_unknown_command_is_named_beside_those_there_are(run, arguments):
    code, said = run(*arguments)
    assert code == 2
    assert said.out == ''
    assert said.err.startswith(f'There is no command "{" ".join(arguments)}". usage: mobilenext COMMAND')


@pytest.mark.parametrize('name', ['train', 'benchmark train'])
def test_the_help_of_a_command_is_its_tools(run, name):
    code, said = run(*name.split(), '--help')
    assert code == 0
    assert said.out.startswith(f'usage: mobilenext {name} ')


def test_the_exit_code_of_a_tool_travels(run, tmp_path):
    (tmp_path / 'VOC2007').mkdir()
    code, said = run('data', 'make-toy-voc', '--out', str(tmp_path))
    assert code == 2
    assert 'VOC2007 holds another data set' in said.err
    assert run('train')[0] == 2  # argparse's


def test_what_nobody_can_mend_stays_a_traceback():
    def main():
        raise ValueError('a mistake of ours')

    with pytest.raises(ValueError, match='a mistake of ours'):
        mobilenext.exit_code(main)
    assert mobilenext.exit_code(lambda: None) == 0
    assert mobilenext.exit_code(lambda: 1) == 1
