"""Export as `tools/export.py` does it: the file, what runs it, and a check of both."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from mobilenext_det.engine.config import load_config
from mobilenext_det.inference.detector import Detector

from . import runtime
from .agreement import FP32, INT8, agreement
from .export import export, open_exported
from .pictures import calibration_images, checking_images


def export_and_check(
    config: str,
    checkpoint: str,
    *,
    out: str,
    form: str = 'onnx',
    quantize: str | None = None,
    calibration: str | None = None,
    data_root: str | None = None,
    nms: bool = True,
    opset: int = 20,
    cfg_options: Sequence[str] = (),
) -> int:
    """Export a detector, say where the file is and how its detections compare with PyTorch's.

    Args:
        config: The config file.
        checkpoint: The weights.
        out: The folder for the file. An ONNX file gets a copy of `runtime.py` beside it, which runs it without PyTorch.
        form: 'onnx', 'torchscript' or 'executorch'.
        quantize: 'int8', or None for fp32.
        calibration: A folder of pictures to calibrate int8 with, instead of the config's training set.
        data_root: Where the data is, instead of the config's.
        nms: Whether overlapping boxes are suppressed within the file.
        opset: Version of ONNX's operators.
        cfg_options: `key=value` settings.

    Returns:
        1 if the detections of an fp32 file are not those of PyTorch, otherwise 0.

    Raises:
        DeployError: If a picture cannot be read.
        UsageError: If a file is missing or the detector cannot be exported in this form.
    """
    cfg = load_config(config, cfg_options, data_root)
    detector = Detector(config, checkpoint, cfg_options=cfg_options)
    pictures = calibration_images(cfg, folder=calibration) if quantize else None
    path = export(detector, Path(out), form, pictures, nms, opset)
    print(f'{path}: {path.stat().st_size / 1e6:.2f} MB')
    if form == 'onnx':
        print(f'{shutil.copy(runtime.__file__, out)} runs it: python runtime.py {path.name} PICTURE')
    result = agreement(detector, open_exported(str(path)), checking_images(cfg), INT8 if quantize else FP32)
    print(result)
    return 0 if result.equal or quantize else 1
