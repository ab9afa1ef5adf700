"""Checkpoints that carry code, given to every tool that opens one."""

import os
import pickle
import runpy
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from mobilenext import exit_code
from tests.faults.contained import outcomes
from tests.faults.world import ROOT, World


class Code:
    """Pickled, a call of `os.mkdir`: the folder is there if it was called."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def _archive(path: Path, payload) -> None:
    torch.save(payload, path)


def _legacy(path: Path, payload) -> None:
    torch.save(payload, path, _use_new_zipfile_serialization=False)


def _bare_pickle(path: Path, payload) -> None:
    path.write_bytes(pickle.dumps(payload))


def _tar(path: Path, payload) -> None:
    inner = path.with_suffix('.pickle')
    _bare_pickle(inner, payload)
    with tarfile.open(path, 'w') as tar:
        for name in ('pickle', 'storages', 'tensors'):
            tar.add(inner, name)


FORMS: dict[str, Callable] = {'zip': _archive, 'legacy': _legacy, 'pickle': _bare_pickle, 'tar': _tar}
PLACES: dict[str, Callable] = {
    'itself': lambda code: code,
    'state_dict': lambda code: dict(state_dict=dict(weight=code)),
    'meta': lambda code: dict(state_dict={}, meta=code),
    'optimizer': lambda code: dict(state_dict={}, meta={}, optimizer=code),
}


def tools(world: World, checkpoint: Path) -> dict[str, list]:
    """Return the arguments of every tool that opens a checkpoint."""
    config, out = world.tiny_config, world.folder / 'inert'
    return {
        'train.py --resume': ['train.py', config, '--work-dir', out / 'train', '--resume', checkpoint],
        'train.py load_from': ['train.py', config, '--work-dir', out, '--cfg-options', f'load_from={checkpoint}'],
        'test.py': ['test.py', config, checkpoint, '--work-dir', out / 'test'],
        'detect.py': ['detect.py', config, checkpoint, world.picture, '--out', out / 'found'],
        'export.py': ['export.py', config, checkpoint, '--out', out / 'exported'],
        'publish.py': ['publish.py', checkpoint, out / 'published.pth'],
        'convert_weights.py': ['convert_weights.py', checkpoint, out / 'converted.pth'],
        'compare.py': ['compare.py', f'{config}={checkpoint}', f'{world.coco_config}={checkpoint}', '--out', out / 'c'],
        'analysis/quantization.py': ['analysis/quantization.py', f'{config}={checkpoint}', '--out', out / 'loss.json'],
        'analysis/gradients.py': ['analysis/gradients.py', f'{config}={checkpoint}', '--out', out / 'gradients'],
        'benchmark/deploy.py': ['benchmark/deploy.py', f'{config}={checkpoint}', '--out', out / 'speed'],
    }


def attempts(world: World) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield every tool with every checkpoint that carries code, by name, and what tries it."""
    folder = world.folder / 'code'
    folder.mkdir(exist_ok=True)
    for form, write in FORMS.items():
        for place, carry in PLACES.items():
            checkpoint = folder / f'{form}-{place}.pth'
            write(checkpoint, carry(Code(folder / 'ran')))
            for tool, arguments in tools(world, checkpoint).items():
                yield f'{tool} {form} {place}', lambda arguments=arguments: _try(arguments, folder / 'ran')


def _try(arguments: list, trace: Path) -> str:
    """Run a tool: 'inert' if it ends in a sentence and nothing ran."""
    program = runpy.run_path(str(ROOT / 'tools' / arguments[0]))
    sys.argv = [str(word) for word in arguments]
    try:
        code = exit_code(program['main'])
    except BaseException as error:
        code = f'{type(error).__name__}: {error}'
    if trace.exists():
        trace.rmdir()
        return 'FAULT the code ran'
    return 'inert' if code == 2 else f'FAULT ends with {code}'


def outcomes_of_attempts(world: World, count: int) -> Iterator[str]:
    """Try them all, or every so many where fewer are wanted, each in a contained process."""
    tries = [attempt for _, attempt in attempts(world)]
    return outcomes(lambda attempt: attempt(), tries[:: max(1, len(tries) // count)])
