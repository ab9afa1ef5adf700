"""What a search does besides training: writing down what it has found, holding the architecture still at first."""

from __future__ import annotations

import json
from pathlib import Path

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mobilenext_det.files import write_atomically

from .genotype import CELLS
from .history import epoch_file

GENOTYPE = 'genotype.json'


@HOOKS.register_module()
class GenotypeHook(Hook):
    """Write the genotype after every epoch, with the weights of all operations, and a line of the log about it.

    The work dir gets genotype.json, the last one, and a file of each epoch below epochs/. A resumed search writes those
    that it comes by again, with the same content.

    Args:
        interval: Iterations of an epoch.
    """

    # Before CheckpointHook, so that no checkpoint is there whose genotype is not.
    priority = 'NORMAL'

    def __init__(self, interval: int) -> None:
        self.interval = interval

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """Write, at the end of an epoch.

        Args:
            runner: The runner.
            batch_idx: Not used.
            data_batch: Not used.
            outputs: Not used.
        """
        if not self.every_n_train_iters(runner, self.interval):
            return
        model = runner.model
        genotype = model.genotype()
        epoch = (runner.iter + 1) // self.interval
        state = dict(
            epoch=epoch,
            genotype=genotype.as_dict(),
            operation_weights={cell: model.operation_weights(cell).tolist() for cell in CELLS},
            edge_weights={cell: model.edge_weights(cell).tolist() for cell in CELLS},
        )
        path = epoch_file(runner.work_dir, epoch)
        path.parent.mkdir(exist_ok=True)
        write_atomically(json.dumps(state).encode(), path)
        genotype.write(Path(runner.work_dir, GENOTYPE))
        runner.logger.info(f'Genotype after epoch {epoch}: {genotype.summary()}.')


@HOOKS.register_module()
class ArchitectureWarmupHook(Hook):
    """Hold the architecture parameters still at first, as PC-DARTS does for 15 of 50 epochs (1907.05737, section 4.2).

    Weights that were never trained favour operations without any.

    Args:
        end: The iteration from which they learn.
    """

    def __init__(self, end: int) -> None:
        self.end = end

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Tell the supernet whether they learn.

        Args:
            runner: The runner.
            batch_idx: Not used.
            data_batch: Not used.
        """
        runner.model.architecture_learns = runner.iter >= self.end
