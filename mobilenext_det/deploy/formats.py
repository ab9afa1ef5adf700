"""The formats of exported detectors in one table: a format is a row here, and the functions that its row names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.utils import digit_version

from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector

from . import runtime
from .network import ExportableNetwork


class Options(NamedTuple):
    """How a detector is exported.

    Attributes:
        calibration: Training pictures, RGB, uint8, (number, height, width, 3): with them the network computes in int8.
        nms: Whether overlapping boxes are suppressed within the file, in formats that can.
        float_input: Whether the file takes float32 (N, 3, height, width) instead of uint8 (N, height, width, 3).
        opset: Version of ONNX's operators; None for the usual one.
        batch: The number of pictures that an ONNX file takes at a time; None for any.
    """

    calibration: np.ndarray | None = None
    nms: bool = True
    float_input: bool = False
    opset: int | None = None
    batch: int | None = None


IN_FLOAT = Options()


@dataclass(frozen=True)
class Format:
    """A format of exported detectors.

    Attributes:
        name: What the command line calls it.
        title: What tables call it.
        suffix: What its files' names end in.
        engine: The package that runs its files.
        standalone: Whether `runtime.py` runs its files by itself, without PyTorch and this package.
        has_int8: Whether there is an int8 form of it.
        has_nms: Whether suppression can be inside the file; otherwise `runtime.Detector` does it.
        oldest_torch: The first torch that can write it.
        write: Writes a network to a file.
        open: Opens a file, with so many threads; None leaves the choice to the engine.
    """

    name: str
    title: str
    suffix: str
    engine: str
    standalone: bool
    has_int8: bool
    has_nms: bool
    oldest_torch: str
    write: Callable[[ExportableNetwork, Path, Options], None]
    open: Callable[[str, int | None], runtime.Detector]


# Exporters and engines take seconds to import and need not all be installed, so that each is imported where it is used.
def _write_onnx(network: ExportableNetwork, path: Path, options: Options) -> None:
    from .onnx_file import DEFAULT_OPSET, export_onnx

    opset = DEFAULT_OPSET if options.opset is None else options.opset
    export_onnx(network, path, options.nms, opset, options.calibration, options.batch)


def _write_torchscript(network: ExportableNetwork, path: Path, options: Options) -> None:
    from .torchscript_file import export_torchscript

    export_torchscript(network, path, options.nms)


def _open_torchscript(path: str, threads: int | None) -> runtime.Detector:
    from .torchscript_file import TorchScriptDetector

    return TorchScriptDetector(path, threads)


def _write_executorch(network: ExportableNetwork, path: Path, options: Options) -> None:
    from .executorch_file import export_executorch

    export_executorch(network, path, options.calibration)


def _open_executorch(path: str, threads: int | None) -> runtime.Detector:
    from .executorch_file import ExecuTorchDetector

    return ExecuTorchDetector(path, threads)


FORMATS = {
    each.name: each
    for each in (
        Format(
            'onnx', 'ONNX Runtime', '.onnx', 'onnxruntime', standalone=True, has_int8=True, has_nms=True,
            oldest_torch='2.5', write=_write_onnx, open=runtime.Detector,
        ),
        Format(
            'torchscript', 'TorchScript', '.torchscript', 'torch', standalone=False, has_int8=False, has_nms=True,
            oldest_torch='2.0', write=_write_torchscript, open=_open_torchscript,
        ),
        Format(
            'executorch', 'ExecuTorch', '.pte', 'executorch.runtime', standalone=False, has_int8=True, has_nms=False,
            oldest_torch='2.5', write=_write_executorch, open=_open_executorch,
        ),
    )
}  # fmt: skip
_BY_SUFFIX = {each.suffix: each for each in FORMATS.values()}


def find_format(name: str) -> Format:
    """Return the format that the command line calls so.

    Raises:
        UsageError: If there is none.
    """
    if name not in FORMATS:
        raise UsageError(f'There is no format {name}: choose {_either(list(FORMATS))}.')
    return FORMATS[name]


def write_exported(detector: Detector, folder: Path, name: str, options: Options = IN_FLOAT) -> Path:
    """Write a detector as one file, named after its config, with the suffix of its format; in int8 `-int8` is added.

    Args:
        detector: The detector.
        folder: Where the file goes; made if needed.
        name: The format.
        options: How it is exported.

    Returns:
        The file.

    Raises:
        UsageError: If the detector cannot be exported, or not so in this format, or a package is missing.
    """
    form, int8 = find_format(name), options.calibration is not None
    _require_torch(form)
    if int8:
        require_int8(form)
    if form.name != 'onnx' and (options.opset, options.batch) != (None, None):
        raise UsageError(f'Only ONNX files have an opset and a batch of their own, {form.title} files do not.')
    network = ExportableNetwork(detector, options.float_input)
    path = folder / f'{Path(detector.config.filename).stem}{"-int8" if int8 else ""}{form.suffix}'
    folder.mkdir(parents=True, exist_ok=True)
    try:
        form.write(network, path, options)
    except ModuleNotFoundError as error:
        raise UsageError(f'{path} needs {error.name}: `pip install -r requirements/deploy.txt` brings it.') from None
    return path


def _require_torch(form: Format) -> None:
    if digit_version(torch.__version__) < digit_version(form.oldest_torch):
        able = _either([each.name for each in FORMATS.values() if each.oldest_torch < form.oldest_torch])
        raise UsageError(
            f'{form.title} files are written with torch {form.oldest_torch} or later, but this is {torch.__version__}: '
            f'export the same config and checkpoint where such a torch is installed, or choose {able}.'
        )


def require_int8(form: Format) -> None:
    """Refuse a format that is written in float only.

    Raises:
        UsageError: If it is one.
    """
    if not form.has_int8:
        others = _either([each.name for each in FORMATS.values() if each.has_int8])
        raise UsageError(f'{form.title} files are written in fp32 only: choose {others} for int8.')


def is_exported(path: str) -> bool:
    """Say whether a file's name is that of an exported detector, rather than of a checkpoint."""
    return Path(path).suffix in _BY_SUFFIX


def open_exported(path: str | Path, threads: int | None = None) -> runtime.Detector:
    """Open a file that `write_exported` wrote, by its suffix.

    Args:
        path: The file.
        threads: Threads for one picture; None leaves the choice to what runs it.

    Raises:
        DeployError: If it cannot be run here.
        UsageError: If the suffix is none of an exported detector.
    """
    form = _BY_SUFFIX.get(Path(path).suffix)
    if form is None:
        raise UsageError(f'{path} is no exported detector: its name must end in {", ".join(_BY_SUFFIX)}.')
    return form.open(str(path), threads)


def _either(names: list[str]) -> str:
    return ' or '.join(filter(None, [', '.join(names[:-1]), names[-1]]))
