"""What is measured: this package's SSDLite on its configs, stock MMDetection's on its own, and how each is trained."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import mmdet

from mobilenext_det._mim import MIM, config_path
from mobilenext_det.errors import UsageError

STOCK = 'stock'
CONFIGS: Mapping[str, str] = MappingProxyType(
    {'mobilenetv2': 'ssdlite_mobilenetv2_expansion_voc.py', 'mobilenext': 'ssdlite_mobilenext_voc_scratch.py'}
)
NAMES: Mapping[str, str] = MappingProxyType(
    {STOCK: 'stock, MobileNetV2', 'mobilenetv2': 'MobileNetV2 (expansion)', 'mobilenext': 'MobileNeXt'}
)
DEFAULT, FP32 = PRECISIONS = 'default', 'fp32'  # with all accelerations, and with all but lower precision
SMALLEST = 160  # pixels, for six levels
_STOCK_MIM = Path(mmdet.__file__).parent / '.mim'
_STOCK_CONFIG = 'configs/ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py'

# Every iteration is timed by itself and nothing is saved, in ours and in stock.
_RECORDING = """
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=-1))
log_processor = dict(window_size=1)
"""
_RESIZED = """
resize = dict(type='Resize', scale=({size}, {size}), keep_ratio=False)
train_pipeline = [resize if t.type == 'Resize' else t for t in _base_.train_pipeline]
test_pipeline = [resize if t.type == 'Resize' else t for t in _base_.test_pipeline]
"""
_OURS = """
train_dataloader = dict(batch_size={batch_size}, num_workers={workers}, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers={workers}, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
model = dict(backbone=dict(init_cfg=None), bbox_head=dict(anchor_generator=dict(input_size={size})))
"""
_STOCK = """
voc = dict(type='VOCDataset', data_root={data_root!r}, data_prefix=dict(sub_data_root='VOC2007/'))
loader = dict(num_workers={workers}, persistent_workers={workers} > 0)
train_dataloader = dict(
    batch_size={batch_size},
    dataset=dict(
        dataset=dict(
            _delete_=True,
            ann_file='VOC2007/ImageSets/Main/trainval.txt',
            filter_cfg=_base_.train_dataloader.dataset.dataset.filter_cfg,
            pipeline=train_pipeline,
            **voc,
        )
    ),
    **loader,
)
test = dict(_delete_=True, ann_file='VOC2007/ImageSets/Main/test.txt', test_mode=True, pipeline=test_pipeline, **voc)
val_dataloader = dict(dataset=test, **loader)
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='VOCMetric', metric='mAP', eval_mode='11points')
test_evaluator = val_evaluator
model = dict(bbox_head=dict(num_classes=20))
"""


@dataclass(frozen=True)
class Subject:
    """What is trained.

    Attributes:
        network: 'stock', or one of `CONFIGS`.
        precision: What it computes in, 'default' or 'fp32'; stock knows no other than its own default.
    """

    network: str
    precision: str = DEFAULT

    @classmethod
    def parse(cls, name: str) -> Subject:
        """Read what `str` wrote."""
        network, _, precision = name.partition('-')
        return cls(network, precision or DEFAULT)

    def __str__(self) -> str:
        """Return its name on the command line, such as 'mobilenext-fp32'."""
        return self.network if self.precision == DEFAULT else f'{self.network}-{self.precision}'


SUBJECTS = tuple(Subject(network, precision) for precision in PRECISIONS for network in CONFIGS)


@dataclass(frozen=True)
class Settings:
    """What all that are compared have in common.

    Attributes:
        data_root: Folder that holds VOC2007/.
        batch_size: Images of a step.
        size: Side of the network's input in pixels.
        workers: Loader processes.
    """

    data_root: str = 'data/toy'
    batch_size: int = 24
    size: int = 320
    workers: int = 2

    def check(self) -> None:
        """Refuse what nothing can be trained with.

        Raises:
            UsageError: For a number that is too small, or without data.
        """
        require(1, batch_size=self.batch_size)
        require(SMALLEST, size=self.size)
        require(0, workers=self.workers)
        listed = Path(self.data_root, 'VOC2007', 'ImageSets', 'Main', 'trainval.txt')
        if not listed.is_file():
            raise UsageError(
                f'There is no {listed}: name a folder that holds VOC2007/ with --data-root, or make the synthetic set '
                'with `python tools/data/make_toy_voc.py --out data/toy`.'
            )


def require(least: int, **given: int) -> None:
    """Refuse numbers that are too small.

    Args:
        least: The smallest that will do.
        **given: Numbers, by the names of their options.

    Raises:
        UsageError: If one is smaller.
    """
    for option, number in given.items():
        if number < least:
            raise UsageError(f'--{option.replace("_", "-")} {number} is too small: take {least} or more.')


def command(subject: Subject, settings: Settings, folder: Path) -> list[str]:
    """Write a config, and return the command that trains it: `stock_command` or `our_command`."""
    if subject.network == STOCK:
        return stock_command(settings, folder)
    return our_command(subject, settings, folder)


def our_command(
    subject: Subject, settings: Settings, folder: Path, base: str | None = None, processes: int = 1
) -> list[str]:
    """Write a config that inherits one of this package's, and return the command that trains it, from scratch.

    Nothing is set but batch size, input size and workers, the log's interval, and that nothing is saved; and float32 if
    that is asked for, with all other accelerations on.

    Args:
        subject: What is trained.
        settings: What all have in common; batch size and workers are of a process.
        folder: Where the config goes.
        base: The config to inherit, if it is not that of `CONFIGS`.
        processes: How many train one model together.
    """
    own = _OURS + ("optim_wrapper = dict(type='OptimWrapper')\n" if subject.precision == FP32 else '')
    config = _write(folder / f'{subject}.py', config_path(base or CONFIGS[subject.network]), own, settings)
    train = [str(MIM / 'tools' / 'train.py'), str(config), '--data-root', settings.data_root]
    if processes == 1:
        return [sys.executable, *train]
    launcher = [sys.executable, '-m', 'torch.distributed.run', '--standalone', f'--nproc_per_node={processes}']
    return [*launcher, *train, '--launcher', 'pytorch']


def stock_command(settings: Settings, folder: Path) -> list[str]:
    """Write the config with which a user of stock MMDetection trains SSDLite on VOC, and return the command.

    It inherits `stock_config`. Set are, because the data is VOC and not COCO: the data set with its files, VOC's
    metric, and 20 classes; to make runs comparable: batch size, input size (its own is 320 as well; its priors stay
    those of 320) and number of workers; to measure: the log's interval, and that nothing is saved. Transforms, network,
    loss, optimiser and all the rest are stock's.

    Args:
        settings: What all have in common.
        folder: Where the config goes.
    """
    config = _write(folder / f'{STOCK}.py', stock_config(), _STOCK, settings)
    return [sys.executable, stock_file('tools/train.py'), str(config)]


def stock_config() -> str:
    """Return the path of MMDetection's own SSDLite.

    Raises:
        UsageError: If MMDetection is installed without its configs.
    """
    return stock_file(_STOCK_CONFIG)


def stock_file(name: str) -> str:
    """Return the path of a tool or a config that comes with MMDetection.

    Args:
        name: Its path below MMDetection's own.

    Raises:
        UsageError: If MMDetection is installed without them.
    """
    path = _STOCK_MIM / name
    if not path.is_file():
        raise UsageError(f'There is no {path}: install MMDetection with `pip install mmdet`, which brings it.')
    return str(path)


def put_all_to_background(head: Any) -> None:
    """Have an SSD head put every prior down to background, whatever its weights are.

    Random weights let every prior of every class through, which no trained network does: with this there is nothing to
    suppress, and none looks slower than it is.

    Args:
        head: The head, each level's scores ending in a convolution with a bias.
    """
    for level in head.cls_convs:
        level[-1].bias.data.view(-1, head.cls_out_channels)[:, -1] = 100.0


def _write(path: Path, base: str, own: str, settings: Settings) -> Path:
    text = f'_base_ = {base!r}\n' + (_RESIZED + own).format(**asdict(settings)) + _RECORDING
    path.write_text(text)
    return path
