"""A search as a process: killed and resumed to the bit, and what it leaves behind; and searches compared."""

import json
import shutil

import cv2
import pytest
import torch

from tests.fixtures.work_dirs import killed, losses, same

SIZES = ('epoch=2', 'epochs=3', 'batch_size=2', 'image_size=8')
TINY = (
    *SIZES,
    *('model.num_classes=2', 'model.channels=4', 'model.cells=3', 'model.partial=2'),
    *('train_dataloader.dataset.every=1', 'default_hooks.logger.interval=1'),
)
SEARCH = """
_base_ = '{base}'
{sizes}
model = dict(num_classes=2, channels=4, cells=3, partial=2)
train_dataloader = dict(dataset=dict(every=1))
"""
RETRAIN = """
_base_ = '{base}'
{sizes}
model = dict(num_classes=2, backbone=dict(channels=4, cells=3))
train_dataloader = dict(dataset=dict(every=1))
"""


def arguments(tools, data_root, out, name='sandglass_cifar10_small.py'):
    config = tools.root / 'configs' / 'search' / name
    return ['search.py', config, '--data-root', data_root, '--out', out, '--seed', 3, '--cfg-options', *TINY]


@pytest.fixture(scope='session')
def searched(shared, tools, image_folders):
    """The folder of a search of three epochs of two iterations."""

    def search(folder):
        result = tools(*arguments(tools, image_folders, folder))
        assert result.returncode == 0, result.stderr
        (folder / 'said.txt').write_text(result.stdout)

    return shared('searched', search)


def test_a_killed_search_ends_with_the_genotype_and_the_bits_of_the_uninterrupted_one(
    tools, image_folders, searched, tmp_path
):
    process = tools.start(*arguments(tools, image_folders, tmp_path))
    assert killed(process, tmp_path, 5) == -9
    assert (tmp_path / 'iter_4.pth').exists()
    assert not (tmp_path / 'iter_6.pth').exists()
    resumed = tools(*arguments(tools, image_folders, tmp_path))
    assert resumed.returncode == 0, resumed.stderr
    for name in ('genotype.json', 'epochs/001.json', 'epochs/002.json', 'epochs/003.json'):
        assert (tmp_path / name).read_bytes() == (searched / name).read_bytes(), name
    assert losses(tmp_path) == losses(searched)
    ends = [torch.load(folder / 'iter_6.pth', weights_only=True) for folder in (searched, tmp_path)]
    for part in ('state_dict', 'optimizer', 'param_schedulers'):
        assert same(ends[0][part], ends[1][part]), part
    assert ends[0]['optimizer'].keys() >= {'weights', 'architecture'}


def test_what_a_search_leaves_and_says(searched):
    first, _, last = (json.loads((searched / 'epochs' / f'00{epoch}.json').read_text()) for epoch in (1, 2, 3))
    assert json.loads((searched / 'genotype.json').read_text()) == last['genotype']
    assert last['genotype']['space'] == 'sandglass'
    for name in ('cells.png', 'shares.png'):
        assert cv2.imread(str(searched / name)).shape[1] > 500
    # It is held still for the first epoch: 1e-3 of a random start, and moves by more than that in one step of Adam.
    still, moved = (torch.tensor(epoch['operation_weights']['normal']) for epoch in (first, last))
    assert (still - 1 / 9).abs().max() < 1e-3 < (moved - still).abs().max()
    lines = (searched / 'said.txt').read_text().splitlines()
    assert lines[-2].startswith(f'{searched}/genotype.json: ')
    assert lines[-1].startswith('With 5 cells of 16 channels it has ')


def test_a_folder_holds_the_search_of_one_seed(tools, image_folders, searched, capsys):
    other = [4 if part == 3 else part for part in arguments(tools, image_folders, searched)]
    assert tools.main(*other) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.endswith(f'{searched} holds a search with the seed 3, not 4: give another folder as --out.')


def test_searches_are_compared_by_training_what_they_found(tools, image_folders, tmp_path, capsys):
    """Configs as a person writes them; a second start does what has no record alone."""
    for name, text in (('darts', SEARCH), ('sandglass', SEARCH), ('retrain', RETRAIN)):
        base = tools.root / 'configs' / 'search' / f'{name}_cifar10_small.py'
        (tmp_path / f'{name}.py').write_text(text.format(base=base, sizes='\n'.join(SIZES)))
    command = ['search_experiment.py', tmp_path / 'darts.py', tmp_path / 'sandglass.py', '--retrain']
    command += [tmp_path / 'retrain.py', '--out', tmp_path / 'out', '--data-root', image_folders, '--seeds', 5]
    assert tools.main(*command) == 0
    records = {path.stem: json.loads(path.read_text()) for path in (tmp_path / 'out' / 'records').iterdir()}
    assert sorted(records) == ['darts-seed5', 'sandglass-seed5']
    for name, record in records.items():
        assert record['genotype'] == json.loads((tmp_path / 'out' / name / 'search' / 'genotype.json').read_text())
        assert (record['seed'], record['retrain']) == (5, 'retrain.py')
        assert round(record['accuracy/top1'] * 6) == pytest.approx(record['accuracy/top1'] * 6)
        assert record['params'] > 0
    assert records['darts-seed5']['sandglass_share'] == 0
    table = capsys.readouterr().out.splitlines()[-4:]
    assert [row.split()[1] for row in table[2:]] == ['darts.py', 'sandglass.py']

    other = ['other.py' if part == tmp_path / 'retrain.py' else part for part in command]
    assert tools.main(*other) == 2
    assert 'was retrained by retrain.py, not by other.py' in capsys.readouterr().err

    shutil.rmtree(tmp_path / 'out' / 'darts-seed5')
    assert tools.main(*command) == 0
    assert not (tmp_path / 'out' / 'darts-seed5').exists()


@pytest.mark.parametrize(
    ('config', 'sentence'),
    [
        ('ssdlite_mobilenext_toy.py', 'ssdlite_mobilenext_toy.py is no search: its model must be a Supernet, as in'),
        ('search/none.py', 'There is no config'),
        ('search/darts_cifar10_small.py', 'train, the images of '),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tools, tmp_path, capsys, config, sentence):
    command = ('search.py', tools.root / 'configs' / config, '--out', tmp_path / 'out', '--data-root', tmp_path)
    assert tools.main(*command) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence in said
