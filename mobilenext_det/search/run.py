"""One search from its config to its pictures: what tools/search.py calls."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint

from mobilenext_det.checkpoints.safe_load import load_from_local
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
        UsageError: If the config is not that of a search, a file is missing, or the folder holds a search with another
            seed.
    """
    if config.get('model', {}).get('type') != 'Supernet':
        raise UsageError(f'{config.filename} is no search: its model must be a Supernet, as in configs/search.')
    if not {'channels', 'cells', 'image_size'} <= set(config.get('derived', {})):
        raise UsageError(
            f'{config.filename} does not say what network is derived: set derived=dict(channels=36, cells=20, '
            'image_size=32) or the like.'
        )
    _refuse_another_seed(config, out)
    train(config, work_dir=out, resume='auto')

    from .charts import draw_search  # matplotlib

    draw_search(out)
    return read_genotype(Path(out, GENOTYPE))


def _refuse_another_seed(config: Config, out: str | Path) -> None:
    """A folder whose search was of another seed would hand out what that one found."""
    seed = config.get('randomness', {}).get('seed')
    last = find_latest_checkpoint(str(out)) if Path(out, 'last_checkpoint').is_file() else None
    if seed is None or last is None:
        return
    found = load_from_local(last, 'cpu')['meta']['seed']
    if found != seed:
        raise UsageError(f'{out} holds a search with the seed {found}, not {seed}: give another folder as --out.')
