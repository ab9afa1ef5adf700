"""Gradient confusion and information loss of networks side by side: what `tools/analysis/gradients.py` calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader, Runner, set_random_seed
from rich.console import Console
from rich.progress import track

from mobilenext_det.checkpoints import require_checkpoint
from mobilenext_det.checkpoints.checkpoint_fit import misfits
from mobilenext_det.display.tables import markdown_table, render
from mobilenext_det.engine.config import load_config, require_data
from mobilenext_det.errors import UsageError

from .gradients import WHOLE, Confusion, batch_gradient, gradient_confusion
from .information import BottleneckLoss, BottleneckProbe


@dataclass(frozen=True)
class Measurement:
    """What was measured of one network at one point of its training.

    Attributes:
        network: The config's name.
        point: The checkpoint's name, or 'init'.
        loss: Mean training loss of the mini-batches.
        confusion: By group of parameters; the whole network is the first.
        bottlenecks: By block; empty for a backbone without sandglass blocks and inverted residuals.
    """

    network: str
    point: str
    loss: float
    confusion: dict[str, Confusion]
    bottlenecks: list[BottleneckLoss]


def compare_gradients(
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
    setups = [_read(network, data_root, cfg_options) for network in networks]
    results = []
    for cfg, checkpoint in setups:
        name, point = Path(cfg.filename).stem, Path(checkpoint).stem if checkpoint else 'init'
        results.append(_measure(cfg, checkpoint, name, point, batches, seed))
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    setting = dict(
        batches=batches, batch_size=[cfg.train_dataloader.batch_size for cfg, _ in setups], seed=seed, dtype='float32'
    )
    record = dict(setting, networks=list(networks), measurements=[asdict(result) for result in results])
    (folder / 'gradients.json').write_text(json.dumps(record, indent=1) + '\n')
    print(confusion_table(results), information_table(results), sep='\n\n')
    from .gradient_charts import draw_charts  # imports matplotlib

    draw_charts(results, folder)
    return results


def _read(network: str, data_root: str | None, cfg_options: Sequence[str]) -> tuple[Config, str | None]:
    config, _, checkpoint = network.partition('=')
    cfg = load_config(config, cfg_options, data_root)
    require_data(cfg, 'train_dataloader')
    if checkpoint:
        require_checkpoint(checkpoint)
    return cfg, checkpoint or None


def _measure(cfg: Config, checkpoint: str | None, name: str, point: str, batches: int, seed: int) -> Measurement:
    model = build_network(cfg, checkpoint, seed)
    probe = BottleneckProbe(model.backbone)
    losses, gradients = [], []
    # Float32 in full, which tensor cores round to ten bits if they are let.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        loader = train_batches(cfg, batches, seed)
        for batch in track(loader, f'{name}, {point}', batches, console=Console(stderr=True)):
            loss, gradient = batch_gradient(model, batch)
            losses.append(loss)
            gradients.append(gradient)
    return Measurement(name, point, sum(losses) / batches, gradient_confusion(gradients), probe.results())


def build_network(cfg: Config, checkpoint: str | None = None, seed: int = 0) -> BaseModel:
    """Build a config's detector in training mode, initialised or loaded in full.

    Batch norm uses the statistics of each mini-batch, so that the gradients are those that training follows. Stored
    statistics would not do: before training they are 0 and 1 whatever the network computes, and the same network would
    be measured in two modes.

    Raises:
        UsageError: If the checkpoint does not fit.
    """
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    set_random_seed(seed)
    model = MODELS.build(cfg.model)
    if checkpoint:
        saved = CheckpointLoader.load_checkpoint(checkpoint, 'cpu', logger='silent')
        weights = saved.get('state_dict', saved)
        unfit = sum(misfits(model, weights), [])
        if unfit:
            raise UsageError(
                f'{checkpoint} does not fit {cfg.filename}: {len(unfit)} parameters differ, such as {unfit[0]}.'
            )
        model.load_state_dict(weights, strict=False)  # what it has besides, as mean and std, was looked at above
    else:
        logger = MMLogger.get_current_instance()
        level = logger.level
        logger.setLevel('WARNING')  # mmengine would print where each of the weights comes from
        model.init_weights()
        logger.setLevel(level)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    return model.to(device, torch.float32, memory_format=torch.channels_last).train()


def train_batches(cfg: Config, batches: int, seed: int) -> Iterator[dict]:
    """Yield the first mini-batches that the config's train data loader gives with a seed.

    Raises:
        UsageError: If there are fewer.
    """
    set_random_seed(seed)
    loader = iter(Runner.build_dataloader(cfg.train_dataloader, seed=seed))
    for index in range(batches):
        batch = next(loader, None)
        if batch is None:
            raise UsageError(f'--batches {batches}: the train data loader of {cfg.filename} gives only {index}.')
        yield batch


def confusion_table(results: Sequence[Measurement]) -> str:
    """One row a measurement, over the whole network."""
    numbers = ('loss', 'mean cosine', 'lowest', 'highest', 'negative pairs', 'lowest product', 'mean norm')
    table = markdown_table(['network', 'point'], numbers)
    for result in results:
        whole = result.confusion[WHOLE]
        cosines = (whole.mean_cosine, min(whole.cosines), max(whole.cosines))
        table.add_row(
            *(result.network, result.point, f'{result.loss:.3f}'),
            *(f'{cosine:.3f}' for cosine in cosines),
            *(f'{whole.confused:.1%}', f'{whole.min_inner_product:.3g}', f'{whole.mean_norm:.3g}'),
        )
    return render(table)


def information_table(results: Sequence[Measurement]) -> str:
    """One row a measurement: means over the blocks."""
    numbers = ('blocks', 'rank before', 'of channels', 'rank after', 'of channels', 'input lost', 'wide lost')
    table = markdown_table(['network', 'point'], numbers)
    for result in results:
        blocks = result.bottlenecks
        if blocks:
            means = [sum(values) / len(blocks) for values in zip(*map(_numbers, blocks), strict=True)]
            formats = ('{:.1f}', '{:.1%}', '{:.1f}', '{:.1%}', '{:.1%}', '{:.1%}')
            cells = (form.format(mean) for form, mean in zip(formats, means, strict=True))
            table.add_row(result.network, result.point, str(len(blocks)), *cells)
    return render(table)


def _numbers(block: BottleneckLoss) -> tuple[float, ...]:
    shares = block.rank_before / block.channels_before, block.rank_after / block.channels_after
    return block.rank_before, shares[0], block.rank_after, shares[1], block.input_lost, block.wide_lost
