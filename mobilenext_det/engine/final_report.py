"""What stands at the end of a training: how good its best checkpoint is, and what to do with it."""

from __future__ import annotations

from pathlib import Path

from mmdet.registry import HOOKS
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from .evaluate import evaluate
from .run_files import run_files


@HOOKS.register_module()
class FinalReportHook(Hook):
    """Evaluate the best checkpoint of a finished training, write the report, and name the commands that come next.

    The report, on the data of `test_dataloader`, goes to `report` in the work dir; its pictures of the worst errors
    show what to label or to add. With several processes the commands alone are printed.
    """

    priority = 'LOWEST'  # after the last checkpoint is written

    def after_train(self, runner: Runner) -> None:
        """Report.

        Args:
            runner: The runner.
        """
        config, checkpoint = run_files(runner.work_dir)
        report = Path(runner.work_dir, 'report')
        name = Path(runner.work_dir).name
        lines = [
            f'  python tools/detect.py --run {runner.work_dir} IMAGE --out found',
            f'  python tools/export.py {config} {checkpoint} --out {name}-deployed',
        ]
        if get_world_size() == 1:
            evaluate(runner.cfg, checkpoint, work_dir=runner.work_dir, report=str(report))
            lines.insert(0, f'{report / "index.html"} shows how good {checkpoint.name} is, and its worst errors. Next:')
        else:
            lines.insert(0, f'  python tools/test.py {config} {checkpoint} --report {report}')
        print_log('\n'.join(lines), logger='current')
