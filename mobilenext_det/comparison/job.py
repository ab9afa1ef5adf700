"""A run that is to be made, told in JSON to the process that makes it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from mobilenext_det.engine.config import load_config

from .run_record import run_path


class Job(NamedTuple):
    """What is to be run.

    Attributes:
        config: The config file.
        seed: Seed of the training, or the place of the checkpoint in the list given.
        checkpoint: Weights to evaluate; None to train.
        out: Folder of the comparison.
        data_root: Where the data is, instead of the config's.
        amp: Whether to train in lower precision.
        cfg_options: `key=value` settings.
        iterations: Iterations of the training; 0 where there is none.
    """

    config: str
    seed: int
    checkpoint: str | None
    out: str
    data_root: str | None
    amp: bool
    cfg_options: list[str]
    iterations: int

    @property
    def name(self) -> str:
        """Name of the config."""
        return Path(self.config).stem

    @property
    def path(self) -> Path:
        """File of the finished run."""
        return run_path(self.out, self.name, self.seed)

    @property
    def work_dir(self) -> Path:
        """Folder for what the run needs while it lasts."""
        return Path(self.out, 'work', f'{self.name}-seed{self.seed}')

    def load_config(self) -> Config:
        """Read the config as the run uses it."""
        return load_config(self.config, self.cfg_options, self.data_root)
