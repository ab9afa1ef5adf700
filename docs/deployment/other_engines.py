"""What other engines make of an exported ONNX file, held against ONNX Runtime: OpenCV, OpenVINO and ncnn.

    python docs/deployment/other_engines.py DIR/MODEL.onnx PICTURE ...

It needs numpy, OpenCV and ONNX Runtime, and DIR/runtime.py, which export writes. Of the engines it runs those that are
installed: openvino; ncnn and pnnx, which translates the file for it. The file has to be exported with --no-nms,
--float-input and --batch 1, what all of them take. Nothing of the package is imported, as each engine wants an
environment of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

OUTPUTS = ('candidates', 'probabilities')
Engine = Callable[[np.ndarray], list[np.ndarray]]


def onnx_runtime(path: str) -> Engine:
    """Open a file in ONNX Runtime, from an input (1, 3, height, width) to candidates and probabilities."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return lambda picture: session.run(list(OUTPUTS), {'images': picture})


def opencv(path: str) -> Engine:
    """Open a file in OpenCV; see `onnx_runtime`."""
    net = cv2.dnn.readNetFromONNX(path)

    def run(picture: np.ndarray) -> list[np.ndarray]:
        net.setInput(picture, 'images')
        return list(net.forward(list(OUTPUTS)))

    return run


def openvino(path: str) -> Engine:
    """Open a file in OpenVINO, in float32 whatever the processor would rather have; see `onnx_runtime`."""
    import openvino

    model = openvino.Core().compile_model(path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})

    def run(picture: np.ndarray) -> list[np.ndarray]:
        found = model([picture])
        return [found[name] for name in OUTPUTS]

    return run


def ncnn(path: str) -> Engine:
    """Translate a file by pnnx and open it in ncnn, both in float32; see `onnx_runtime`."""
    import ncnn

    folder = Path(tempfile.mkdtemp())
    copy = shutil.copy(path, folder / 'model.onnx')
    pnnx = Path(sys.executable).with_name('pnnx')
    subprocess.run([pnnx, copy, 'fp16=0'], cwd=folder, check=True, capture_output=True)
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.load_param(str(folder / 'model.ncnn.param'))
    net.load_model(str(folder / 'model.ncnn.bin'))

    def run(picture: np.ndarray) -> list[np.ndarray]:
        extractor = net.create_extractor()
        # A Mat does not keep the array that it is made of: of one that is gone by now it would read anything.
        extractor.input('in0', ncnn.Mat(picture[0]).clone())
        return [np.array(extractor.extract(name)[1])[None] for name in ('out0', 'out1')]

    return run


ENGINES = {'cv2': opencv, 'openvino': openvino, 'ncnn': ncnn}


def main() -> int:
    """Print the largest differences of every engine from ONNX Runtime."""
    parser = argparse.ArgumentParser(description="Compare other engines' candidates with ONNX Runtime's.")
    parser.add_argument('model', help='ONNX file, exported with --no-nms --float-input --batch 1')
    parser.add_argument('images', nargs='+', metavar='IMAGE', help='picture')
    args = parser.parse_args()
    sys.path.insert(0, str(Path(args.model).resolve().parent))
    from runtime import Detector, as_input, read_image

    fit = Detector(args.model).fit
    pictures = [as_input(fit.prepare(read_image(path))[None], True) for path in args.images]
    reference = onnx_runtime(args.model)
    wanted = [reference(picture) for picture in pictures]
    for name in ENGINES:
        if importlib.util.find_spec(name) is None:
            continue
        engine = ENGINES[name](args.model)
        found = [engine(picture) for picture in pictures]
        corners, probabilities = (
            max(
                np.abs(one[k].reshape(other[k].shape) - other[k]).max()
                for one, other in zip(found, wanted, strict=True)
            )
            for k in range(2)
        )
        version = getattr(__import__(name), '__version__', '')
        print(f'{name} {version}: {probabilities:.1e} in probability, {corners:.1e} of the picture in corners')
    return 0


if __name__ == '__main__':
    sys.exit(main())
