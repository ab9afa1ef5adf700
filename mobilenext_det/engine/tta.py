"""Testing with every image mirrored, too: `tools/test.py --tta`, and MMDetection's."""

from __future__ import annotations

import copy

from mmdet.registry import HOOKS
from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel
from mmengine.runner import Runner

from mobilenext_det.errors import UsageError

from .config import innermost_datasets


def ask_for_tta(config: Config) -> None:
    """Have a config's test merge the detections of several views of each image, in place.

    Which views is said by the config's ``tta_pipeline`` and ``tta_model``, as in MMDetection; by default they are the
    image and its mirror image, and the network's own suppression merges them. Unlike in MMDetection's default, the
    ground truth is not mirrored.

    Args:
        config: The config.
    """
    test_cfg = config.model.get('test_cfg') or {}
    merging = {key: test_cfg[key] for key in ('nms', 'max_per_img') if key in test_cfg}
    wrapper = config.get('tta_model') or dict(type='DetTTAModel', tta_cfg=merging)
    config.model = ConfigDict(**wrapper, module=config.model)
    for _, dataset in innermost_datasets(config.test_dataloader):
        dataset.pipeline = config.get('tta_pipeline') or _with_mirror(dataset.pipeline)


def _with_mirror(pipeline: list[ConfigDict]) -> list[dict]:
    *steps, pack = copy.deepcopy(pipeline)
    keys = pack.get('meta_keys', ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))
    truth = [step for step in steps if step.type == 'LoadAnnotations']
    views = [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)]
    last = dict(pack, meta_keys=tuple(dict.fromkeys((*keys, 'flip', 'flip_direction'))))
    transforms = [views, *([step] for step in truth), [last]]
    return [*(step for step in steps if step not in truth), dict(type='TestTimeAug', transforms=transforms)]


@HOOKS.register_module()
class TTAHook(Hook):
    """Refuse a test whose ground truth would be mirrored with the images: every score would be wrong.

    MMDetection's ``test.py --tta`` puts the mirror behind what the test pipeline has, ``LoadAnnotations`` too, and
    compares the merged detections with the ground truth of the first view, a mirrored one.
    """

    def before_run(self, runner: Runner) -> None:
        """Look at the test pipeline.

        Args:
            runner: The runner.

        Raises:
            UsageError: If it is so.
        """
        if not isinstance(runner.model, BaseTTAModel):
            return
        for _, dataset in innermost_datasets(runner.cfg.test_dataloader):
            types = [str(step.get('type')) for step in dataset.get('pipeline') or []]
            if 'TestTimeAug' in types and any('LoadAnnotations' in one for one in types[: types.index('TestTimeAug')]):
                raise UsageError(
                    'The ground truth would be mirrored with the images: put LoadAnnotations into TestTimeAug, behind '
                    'RandomFlip, in tta_pipeline, or evaluate with tools/test.py --tta of this project, which does so.'
                )
