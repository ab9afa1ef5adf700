"""Writing the page of the model zoo; what stands on it is tested in tests/test_model_zoo.py."""

import shutil
import subprocess

ENTRY = """Models:
  - Name: mine
    Config: configs/mine.py
    Metadata: {Parameters: 1234, MAdds: 5678, Input Size: 320, Training Data: ours, Recipe: short}
    Measured: none
"""


def test_help_comes_before_any_heavy_import(tools):
    command = tools.command('model_zoo.py', '--help')
    result = subprocess.run([command[0], '-X', 'importtime', *command[1:]], capture_output=True, text=True)
    assert result.returncode == 0
    assert result.stdout.startswith('usage: model_zoo.py')
    imported = {line.rsplit('|')[-1].strip().split('.')[0] for line in result.stderr.splitlines()}
    assert not imported & {'torch', 'numpy', 'cv2', 'mmcv', 'mmdet', 'mmengine', 'yaml'}


def test_the_page_is_written_or_what_is_missing_is_said(tools, tmp_path, capsys):
    for folder in ('tools', 'configs', 'docs'):
        (tmp_path / folder).mkdir()
    tool = shutil.copy(tools.root / 'tools' / 'model_zoo.py', tmp_path / 'tools')
    (tmp_path / 'configs' / 'mine.py').touch()
    (tmp_path / 'configs' / 'metafile.yml').write_text('Models: []\n')
    assert tools.main(tool) == 2
    assert capsys.readouterr().err.startswith('configs/mine.py has no entry in configs/metafile.yml')
    (tmp_path / 'configs' / 'metafile.yml').write_text(ENTRY)
    assert tools.main(tool) == 0
    written = tmp_path / 'docs' / 'model_zoo.md'
    assert capsys.readouterr().out == f'{written}\n'
    row = '| [mine](../configs/mine.py) | 320 | 1,234 | 5,678 | ours | short | not measured | none | none |'
    assert written.read_text().splitlines()[-1] == row
