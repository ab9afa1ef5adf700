"""Export of a trained detector, checked against PyTorch: what `tools/export.py` calls."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from mobilenext_det.inference.detector import Detector

from . import runtime
from .agreement import FP32, INT8, Agreement, agreement
from .formats import Options, find_format, open_exported, require_int8, write_exported
from .pictures import calibration_images, checking_images


class Exported(NamedTuple):
    """An exported detector.

    Attributes:
        path: The file.
        runtime: The script beside it that runs it without PyTorch; None in formats that it does not run.
        agreement: How its detections compare with PyTorch's.
    """

    path: Path
    runtime: Path | None
    agreement: Agreement


def export(
    config: Config,
    checkpoint: str | Path,
    out: str | Path,
    *,
    form: str = 'onnx',
    int8: bool = False,
    calibration: str | None = None,
    nms: bool = True,
    opset: int = 20,
) -> Exported:
    """Export a detector, and compare its detections with PyTorch's.

    Args:
        config: The config.
        checkpoint: The weights.
        out: The folder for the file.
        form: The format, one of `formats.FORMATS`.
        int8: Whether to compute in 8 bits instead of fp32.
        calibration: A folder of pictures to calibrate int8 with, instead of the config's training set.
        nms: Whether overlapping boxes are suppressed within the file, in formats that can.
        opset: Version of ONNX's operators.

    Raises:
        DeployError: If a picture cannot be read.
        UsageError: If a file is missing or the detector cannot be exported in this form.
    """
    wanted = find_format(form)
    if int8:
        require_int8(wanted)
    detector = Detector(config, checkpoint)
    pictures = calibration_images(config, folder=calibration) if int8 else None
    path = write_exported(detector, Path(out), form, Options(pictures, nms, opset))
    script = Path(shutil.copy(runtime.__file__, out)) if wanted.standalone else None
    tolerance = INT8 if int8 else FP32
    return Exported(path, script, agreement(detector, open_exported(path), checking_images(config), tolerance))
