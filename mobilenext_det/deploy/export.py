"""From a trained detector to a file that needs none of this package, and back to something that runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector

from . import runtime
from .network import ExportableNetwork

SUFFIXES = {'onnx': '.onnx', 'torchscript': '.torchscript', 'executorch': '.pte'}


def export(
    detector: Detector,
    folder: Path,
    form: str,
    calibration: np.ndarray | None = None,
    nms: bool = True,
    opset: int = 20,
) -> Path:
    """Write a detector as one file, named after its config, with the suffix of its form.

    Args:
        detector: The detector.
        folder: Where the file goes; made if needed.
        form: 'onnx', 'torchscript' or 'executorch'.
        calibration: Training pictures, RGB, uint8, (number, size, size, 3): with them the network computes in int8, and
            the name ends in `-int8`.
        nms: Whether overlapping boxes are suppressed within the file; never in ExecuTorch's, which has no operator for
            it.
        opset: Version of ONNX's operators.

    Returns:
        The file.

    Raises:
        UsageError: If the detector, the form in int8 or the opset cannot be exported, or a package is missing.
    """
    network = ExportableNetwork(detector)
    precision = '' if calibration is None else '-int8'
    path = folder / f'{Path(detector.model.cfg.filename).stem}{precision}{SUFFIXES[form]}'
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _write(network, path, form, calibration, nms, opset)
    except ModuleNotFoundError as error:
        raise UsageError(f'{path} needs {error.name}: `pip install -r requirements/deploy.txt` brings it.') from None
    return path


def _write(
    network: ExportableNetwork, path: Path, form: str, calibration: np.ndarray | None, nms: bool, opset: int
) -> None:
    if form == 'onnx':
        from .onnx_file import export_onnx

        export_onnx(network, path, nms, opset, calibration)
    elif form == 'executorch':
        from .executorch_file import export_executorch

        export_executorch(network, path, calibration)
    elif calibration is not None:
        raise UsageError('TorchScript files are written in fp32 only: choose onnx or executorch for int8.')
    else:
        from .torchscript_file import export_torchscript

        export_torchscript(network, path, nms)


def is_exported(path: str) -> bool:
    """Say whether a file's name is that of an exported detector, rather than of a checkpoint."""
    return Path(path).suffix in SUFFIXES.values()


def open_exported(path: str, threads: int | None = None) -> runtime.Detector:
    """Open a file that `export` wrote, by its suffix.

    Args:
        path: The file.
        threads: Threads for one picture; None leaves the choice to what runs it.

    Raises:
        DeployError: If it cannot be run here.
        UsageError: If the suffix is none of an exported detector.
    """
    suffix = Path(path).suffix
    if suffix == SUFFIXES['onnx']:
        return runtime.Detector(path, threads)
    if suffix == SUFFIXES['torchscript']:
        from .torchscript_file import TorchScriptDetector

        return TorchScriptDetector(path, threads)
    if suffix == SUFFIXES['executorch']:
        from .executorch_file import ExecuTorchDetector

        return ExecuTorchDetector(path, threads)
    raise UsageError(f'{path} is no exported detector: its name must end in {", ".join(SUFFIXES.values())}.')
