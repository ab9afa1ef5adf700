"""What the model zoo says of a config is what its file, network, runs and weights say; the tool writes the page."""

import hashlib
import importlib.util
import json
import re
import shutil
import statistics
import subprocess
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.fileio import load

from mobilenext_det._mim import MIM
from mobilenext_det.analysis.complexity import complexity, input_shape
from mobilenext_det.comparison.run_record import read_run
from mobilenext_det.errors import UsageError

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location('model_zoo', ROOT / 'tools' / 'model_zoo.py')
zoo = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(zoo)
MODELS = load(ROOT / zoo.METAFILE)['Models']
KEYS = {'Name', 'In Collection', 'Config', 'Metadata', 'Results', 'Measured', 'Published', 'Weights', 'SHA-256'}
SCORES = {'mAP_11points': 'mAP 11 points', 'mAP_area': 'mAP area', 'top1': 'top-1', 'top5': 'top-5'}
COUNTED = {'Parameters', 'MAdds', 'Input Size', 'Training Data', 'Recipe'}
ENTRY = """Models:
  - Name: mine
    Config: configs/mine.py
    Metadata: {Parameters: 1234, MAdds: 5678, Input Size: 320, Training Data: ours, Recipe: short}
    Measured: none
"""


def of_each(models):
    return pytest.mark.parametrize('model', models, ids=[model['Name'] for model in models])


def measured():
    return [model for model in MODELS if 'Results' in model]


def recorded(path):
    """The seed and the iterations of a run, where its file has them, and its scores."""
    if path.parent.name == 'runs':
        run = read_run(path)  # computes the APs anew
        return run.seed, run.training.iterations, named(run.metrics.as_dict())
    if path.suffix == '.json':
        last = json.loads(path.read_text())['val'][-1]
        return None, last['step'], named(last)
    rows = dict(re.findall(r'^\| mAP, (11 points|area) \| (0\.\d{4}) \|$', path.read_text(), re.MULTILINE))
    return None, None, {f'mAP {mode}': float(value) for mode, value in rows.items()}


def named(scores):
    """The scores that the zoo has, by its names."""
    return {name: scores[key] for key, name in SCORES.items() if key in scores}


def test_every_config_has_one_entry():
    assert len(zoo.read_models(ROOT)) == len({model['Name'] for model in MODELS})


@pytest.mark.parametrize(
    ('entries', 'sentence'),
    [
        (['one'], r'configs/more/two\.py has no entry in configs/metafile\.yml: add one'),
        (['one', 'more/two', 'one'], r'configs/one\.py has 2 entries'),
        (['one', 'more/two', 'three'], r'an entry for configs/three\.py, which is no config'),
        (['one', 'more/two', '_base_/part'], r'an entry for configs/_base_/part\.py, which is no config'),
    ],
)
def test_what_does_not_match_is_named(entries, sentence, tmp_path):
    for name in ('one', 'more/two', '_base_/part'):
        config = tmp_path / 'configs' / f'{name}.py'
        config.parent.mkdir(exist_ok=True, parents=True)
        config.touch()
    lines = ['Models:', *(f'  - Config: configs/{entry}.py' for entry in entries)]
    (tmp_path / zoo.METAFILE).write_text('\n'.join(lines))
    with pytest.raises(UsageError, match=sentence):
        zoo.read_models(tmp_path)


@of_each(MODELS)
def test_an_entry_leaves_nothing_open(model):
    assert model.keys() <= KEYS
    assert model['Name'] == Path(model['Config']).stem
    assert model['In Collection'] in {collection['Name'] for collection in load(ROOT / zoo.METAFILE)['Collections']}
    assert ('Results' in model) != (model.get('Measured') == 'none')
    assert model['Metadata'].keys() == COUNTED | ({'Seeds'} if 'Results' in model else set())
    # `mim search` joins lists and fails on those of numbers.
    assert {type(value) for value in model['Metadata'].values()} == {int, str}
    assert ('Weights' in model) == ('SHA-256' in model)
    assert model.get('Published', dict.fromkeys(['Dataset', 'Metrics', 'Setting', 'Source'])).keys() == {
        *('Dataset', 'Metrics', 'Setting', 'Source')
    }


@of_each(MODELS)
def test_counts(model):
    metadata = model['Metadata']
    total = complexity(Config.fromfile(ROOT / model['Config'])).parts['total']
    assert total == (metadata['Parameters'], metadata['MAdds'])


@of_each(MODELS)
def test_what_the_config_says(model):
    config = Config.fromfile(ROOT / model['Config'])
    assert input_shape(config) == (model['Metadata']['Input Size'],) * 2
    recipe = model['Metadata']['Recipe']
    iterations, images, start = re.match(r'(\d+) iterations of (?:\d x )?(\d+) images, from (\w+)', recipe).groups()
    assert int(iterations) == config.train_cfg.max_iters
    assert int(images) == config.train_dataloader.batch_size
    networks = [config.model, *config.model.get('students', {}).values()]
    starts = [part.get('init_cfg') for network in networks for part in (network, network.get('backbone', {}))]
    assert (start == 'scratch') == (not any(starts) and not config.load_from)
    assert ('moving average' in recipe) == any(hook.type == 'EMAHook' for hook in config.get('custom_hooks', ()))


@of_each(measured())
def test_results_are_those_of_their_records(model):
    (result,) = model['Results']
    runs = [recorded(path) for path in sorted(ROOT.glob(result['Record']))]
    seeds, iterations, scores = zip(*runs, strict=True)
    assert set(iterations) <= {Config.fromfile(ROOT / model['Config']).train_cfg.max_iters, None}
    if seeds[0] is not None:
        assert ', '.join(map(str, seeds)) == str(model['Metadata']['Seeds'])
        assert Path(result['Record']).name == f'{model["Name"]}-seed*.json'
    found = {}
    for name in scores[0]:
        values = [each[name] for each in scores]
        found[name] = round(100 * statistics.mean(values), 2)
        if len(values) > 1:
            found[f'{name} sd'] = round(100 * statistics.stdev(values), 2)
    assert result['Metrics'] == found


def test_every_recorded_run_counts():
    runs = set(ROOT.glob('docs/comparison/*/runs/*.json'))
    assert runs <= {path for model in measured() for path in ROOT.glob(model['Results'][0]['Record'])}


def test_every_checkpoint_has_its_digest_in_one_entry():
    of_all = [[model[key].split(', ') for key in ('Weights', 'SHA-256')] for model in MODELS if 'Weights' in model]
    digests = {path: digest for files in of_all for path, digest in zip(*files, strict=True)}
    files = (ROOT / 'checkpoints').glob('*.pth')
    assert digests == {f'checkpoints/{file.name}': hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    assert len(digests) == sum(len(paths) for paths, _ in of_all)


def test_the_page_is_what_the_command_writes():
    assert (ROOT / zoo.PAGE).read_text() == zoo.page(MODELS), 'run `python tools/model_zoo.py`'


def test_the_page_says_what_is_measured_and_what_is_not():
    rows = {row.split('](')[0][3:]: row for row in zoo.page(MODELS).splitlines() if row.startswith('| [')}
    assert rows.keys() == {model['Name'] for model in MODELS}
    for model in MODELS:
        assert (' not measured ' in rows[model['Name']]) == ('Results' not in model)
        assert ('[published](' in rows[model['Name']]) == ('Published' in model)
    for model in measured():
        metrics = model['Results'][0]['Metrics']
        name = 'top-5' if 'top-5' in metrics else 'mAP area'
        spread = f' ± {metrics[f"{name} sd"]:.2f}' if f'{name} sd' in metrics else ''
        assert f'<br>{name} {metrics[name]:.2f}{spread}<br>' in rows[model['Name']]


def test_links_of_the_page_lead_somewhere():
    links = {link for link in re.findall(r'\]\(([^)]+)\)', (ROOT / zoo.PAGE).read_text()) if '://' not in link}
    assert not [link for link in links if not (ROOT / 'docs' / link).exists()]


def test_the_page_is_written_in_a_checkout_alone(tmp_path):
    with pytest.raises(UsageError, match='There is no folder .*docs: the page is made in a checkout'):
        zoo.write_page(tmp_path)


def test_mim_finds_the_metafile():
    imported = load(MIM / 'model-index.yml')['Import']
    assert imported == [zoo.METAFILE]
    assert (MIM / zoo.METAFILE).read_bytes() == (ROOT / zoo.METAFILE).read_bytes()
    assert all((MIM / model['Config']).is_file() for model in MODELS)


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
