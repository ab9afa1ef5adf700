"""The tools run as a person runs them: as processes, on a toy set, with the shipped toy config made short."""

import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from mobilenext import exit_code
from tests.fixtures import forked_tool

ROOT = Path(__file__).parents[2]


class Tools:
    """Run `tools/NAME` and hand out what its arguments need."""

    root = ROOT
    config = ROOT / 'configs' / 'ssdlite_mobilenext_toy.py'
    env = {
        **os.environ,
        'OMP_NUM_THREADS': '1',
        'CUDA_VISIBLE_DEVICES': '',  # a GPU does not repeat a run bit for bit
        'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
    }
    short = (
        '--cfg-options',
        'train_cfg.max_iters=8',
        'train_cfg.val_interval=4',
        'train_dataloader.batch_size=4',
        'train_dataloader.num_workers=0',
        'val_dataloader.num_workers=0',
        'test_dataloader.num_workers=0',
        'default_hooks.checkpoint.interval=2',
        'default_hooks.logger.interval=1',
        'model.test_cfg.score_thr=0.2',
    )

    def command(self, name, *arguments):
        return [sys.executable, str(ROOT / 'tools' / name), *map(str, arguments)]

    def start(self, name, *arguments):
        """Start it as a process of its own; what it prints is lost."""
        return forked_tool.start(name, arguments, self.env, tempfile.mkdtemp())

    def __call__(self, name, *arguments):
        """Run it as a process of its own to its end."""
        with tempfile.TemporaryDirectory() as folder:
            process = forked_tool.start(name, arguments, self.env, folder)
            process.join()
            stdout, stderr = (Path(folder, stream).read_text() for stream in ('stdout', 'stderr'))
        return subprocess.CompletedProcess([name, *arguments], process.exitcode, stdout, stderr)

    def main(self, name, *arguments):
        """Run it in this process, which has paid for the imports, and return what would be the exit code."""
        return exit_code(lambda: self.run(name, *arguments))

    def run(self, name, *arguments):
        """Run it in this process, and return or raise what it does."""
        program = runpy.run_path(str(ROOT / 'tools' / name))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, 'argv', [name, *map(str, arguments)])
            return program['main']()


@pytest.fixture(scope='session')
def tools():
    return Tools()


@pytest.fixture(scope='session')
def trained(shared, tools, toy_root):
    """The work dir of a run of eight iterations."""

    def train(folder):
        result = tools('train.py', tools.config, '--data-root', toy_root, '--work-dir', folder, *tools.short)
        assert result.returncode == 0, result.stderr

    return shared('trained', train)


@pytest.fixture(scope='session')
def image_folders(shared):
    """Two classes of pictures, in folders as CIFAR-10's are."""

    def write(root):
        for split, count in (('train', 8), ('test', 3)):
            for name, grey in (('dark', 60), ('light', 180)):
                folder = root / split / name
                folder.mkdir(parents=True)
                for number in range(count):
                    noise = np.random.default_rng(number).integers(-50, 50, (32, 32, 3))
                    assert cv2.imwrite(str(folder / f'{number}.png'), grey + noise)

    return shared('image_folders', write)
