"""What a converted file is for: the command that takes it, or the line that a config needs."""

from __future__ import annotations

from torch import nn

from mobilenext_det.models import MobileNeXt, TappedMobileNetV2

from .targets import Target

# The configs whose backbone, or whose whole detector, a file fits.
_BACKBONES: dict[tuple[type[nn.Module], float], str] = {
    (MobileNeXt, 1.0): 'configs/ssdlite_mobilenext_voc.py',
    **{(MobileNeXt, width / 100): f'configs/ssdlite_mobilenext_w{width:03}_voc.py' for width in (35, 50, 75, 140)},
    (TappedMobileNetV2, 1.0): 'configs/ssdlite_mobilenetv2_voc.py',
}
_DETECTORS: dict[tuple[type[nn.Module], float, int], str] = {
    (MobileNeXt, 1.0, 20): 'configs/ssdlite_mobilenext_voc.py',
    (MobileNeXt, 1.0, 80): 'configs/ssdlite_mobilenext_coco.py',
    (TappedMobileNetV2, 1.0, 20): 'configs/ssdlite_mobilenetv2_voc.py',
}


def next_step(target: Target, out: str) -> str:
    """Say how to use a converted file.

    Args:
        target: What it holds.
        out: The file.
    """
    if target.classes:
        config = _DETECTORS.get((target.network, target.width, target.classes))
        return f'python tools/test.py {config} {out}' if config else f'load_from = {out!r} in a config'
    init_cfg = dict(type='Pretrained', checkpoint=out, prefix='backbone.')
    config = _BACKBONES.get((target.network, target.width))
    if config is None:
        return f'model = dict(backbone=dict(init_cfg={init_cfg})) in a config'
    options = (f'model.backbone.init_cfg.{key}={value}' for key, value in init_cfg.items())
    return f'python tools/train.py {config} --cfg-options {" ".join(options)}'
