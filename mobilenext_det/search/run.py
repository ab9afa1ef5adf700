"""One search from its config to its pictures: what tools/search.py calls."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from mobilenext_det.engine.train import train
from mobilenext_det.errors import UsageError

from .genotype import Genotype, read_genotype
from .hooks import GENOTYPE


def search(config: Config, out: str | Path) -> Genotype:
    """Search, or go on with a search that was stopped, and draw what was found.

    Args:
        config: The config of a search.
        out: The folder of the search: log, checkpoints, genotypes and pictures.

    Returns:
        What was found.

    Raises:
        UsageError: If the config is not that of a search, or a file is missing.
    """
    if config.get('model', {}).get('type') != 'Supernet':
        raise UsageError(f'{config.filename} is no search: its model must be a Supernet, as in configs/search.')
    if not {'channels', 'cells', 'image_size'} <= set(config.get('derived', {})):
        raise UsageError(
            f'{config.filename} does not say what network is derived: set derived=dict(channels=36, cells=20, '
            'image_size=32) or the like.'
        )
    train(config, work_dir=out, resume='auto')

    from .charts import draw_search  # matplotlib

    draw_search(out)
    return read_genotype(Path(out, GENOTYPE))
