"""Search spaces compared: searches over several seeds, each genotype retrained by one recipe and tested."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint

from mobilenext_det.display.tables import Table
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.evaluate import evaluate
from mobilenext_det.engine.train import train
from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .cost import cost
from .genotype import Genotype
from .hooks import GENOTYPE
from .results import RECORDS, experiment_table
from .run import search


def experiment(
    configs: Sequence[str], retrain: str, out: str | Path, seeds: Sequence[int], data_root: str | None = None
) -> Table:
    """Search, retrain and test for every seed and config, the seeds one after another; go on where it was stopped.

    Args:
        configs: Config files of searches.
        retrain: The config file of the retraining; its `genotype` is set to each that is found.
        out: The folder; records/NAME-seedN.json has a result.
        seeds: The seeds.
        data_root: The folder of the data, in the place of the configs'.

    Returns:
        What is in `out` by now, those of earlier calls too.

    Raises:
        UsageError: If a file is missing, a config is not that of a search, or `out` has a result of another retraining.
    """
    for seed in seeds:
        for config in configs:
            name = f'{Path(config).stem}-seed{seed}'
            record = Path(out, RECORDS, f'{name}.json')
            if record.is_file():
                _refuse_another_retraining(record, Path(retrain).name)
            else:
                _run(config, retrain, Path(out, name), seed, data_root, record)
    return experiment_table(out)


def _refuse_another_retraining(record: Path, retrain: str) -> None:
    found = json.loads(record.read_text())['retrain']
    if found != retrain:
        raise UsageError(f'{record} was retrained by {found}, not by {retrain}: give another folder as --out.')


def _run(config: str, retrain: str, folder: Path, seed: int, data_root: str | None, record: Path) -> None:
    seeded = f'randomness.seed={seed}'
    searched = load_config(config, [seeded], data_root)
    genotype = search(searched, folder / 'search')
    trained = load_config(retrain, [f'genotype={folder / "search" / GENOTYPE}', seeded], data_root)
    train(trained, work_dir=folder / 'retrain', resume='auto')
    checkpoint = find_latest_checkpoint(str(folder / 'retrain'))
    scores = evaluate(trained, checkpoint, work_dir=folder / 'test').scores
    record.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_result(config, retrain, searched, genotype, seed, scores), indent=2)
    write_atomically(f'{text}\n'.encode(), record)


def _result(
    config: str, retrain: str, searched: Config, genotype: Genotype, seed: int, scores: dict[str, float]
) -> dict[str, object]:
    network = searched.derived.to_dict()
    return dict(
        config=Path(config).name,
        retrain=Path(retrain).name,
        seed=seed,
        genotype=genotype.as_dict(),
        sandglass_share=genotype.share('sandglass'),
        network=network,
        **cost(genotype, **network, num_classes=searched.model.num_classes)._asdict(),
        **scores,
        torch=torch.__version__,
        finished=time.strftime('%Y-%m-%d', time.gmtime()),
    )
