"""Gradient confusion and information loss of networks side by side: what `tools/analysis/gradients.py` calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mobilenext_det.checkpoints import require_checkpoint
from mobilenext_det.engine.config import load_config, require_data
from mobilenext_det.errors import UsageError

from .gradient_tables import confusion_table, information_table
from .measurement import Measurement, Network, measure


def gradients(
    networks: Sequence[str],
    out: str,
    *,
    batches: int = 16,
    seed: int = 0,
    data_root: str | None = None,
    cfg_options: Sequence[str] = (),
) -> list[Measurement]:
    """Measure networks on the same mini-batches, print tables, and write gradients.json and plots.

    Args:
        networks: 'CONFIG' for a network as its training starts, or 'CONFIG=CHECKPOINT'.
        out: Folder for the results.
        batches: Mini-batches of the config's own train data loader.
        seed: Seed of the initial weights, of the order of the images and of their augmentation.
        data_root: Where the data is, instead of the configs'.
        cfg_options: `key=value` settings for all configs.

    Returns:
        One measurement for each of `networks`.

    Raises:
        UsageError: If a file is missing, a checkpoint does not fit its config, or there are too few mini-batches.
    """
    if batches < 2:
        raise UsageError(f'--batches must be 2 or more for pairs of gradients, but is {batches}.')
    read = [_read(network, data_root, cfg_options) for network in networks]
    results = [measure(network, batches, seed) for network in read]
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    batch_sizes = [network.cfg.train_dataloader.batch_size for network in read]
    setting = dict(batches=batches, batch_size=batch_sizes, seed=seed, dtype='float32', networks=list(networks))
    record = dict(setting, measurements=[asdict(result) for result in results])
    (folder / 'gradients.json').write_text(json.dumps(record, indent=1) + '\n')
    print(confusion_table(results), information_table(results), sep='\n\n')
    from .gradient_charts import draw_charts  # imports matplotlib

    draw_charts(results, folder)
    return results


def _read(network: str, data_root: str | None, cfg_options: Sequence[str]) -> Network:
    config, _, checkpoint = network.partition('=')
    cfg = load_config(config, cfg_options, data_root)
    require_data(cfg, 'train_dataloader')
    if checkpoint:
        require_checkpoint(checkpoint)
    return Network(cfg, checkpoint or None)
