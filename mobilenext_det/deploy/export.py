"""Export of a trained detector, checked against PyTorch: what `tools/export.py` calls."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from mobilenext_det.inference.detector import Detector

from . import runtime
from .agreement import FP32, INT8, Agreement, DisagreementError, agreement
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
    float_input: bool = False,
    opset: int | None = None,
    batch: int | None = None,
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
        float_input: Whether the file takes float32 (N, 3, height, width) instead of uint8 (N, height, width, 3).
        opset: Version of ONNX's operators; None for the usual one.
        batch: The number of pictures that an ONNX file takes at a time; None for any.

    Raises:
        DeployError: If a picture cannot be read.
        UsageError: If a file is missing or the detector cannot be exported in this form.
        DisagreementError: If the file, which is kept, detects something else, or the comparison compared nothing.
    """
    wanted = find_format(form)
    if int8:
        require_int8(wanted)
    detector = Detector(config, checkpoint)
    pictures = calibration_images(detector, folder=calibration) if int8 else None
    path = write_exported(detector, Path(out), form, Options(pictures, nms, float_input, opset, batch))
    script = Path(shutil.copy(runtime.__file__, out)) if wanted.standalone else None
    tolerance = INT8 if int8 else FP32
    compared = agreement(detector, open_exported(path), checking_images(config), tolerance)
    if not compared.close:
        raise DisagreementError(f'{path} was written, but do not rely on it: {compared}')
    return Exported(path, script, compared)
