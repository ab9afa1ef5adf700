"""A web page on this machine for trying an exported detector: python -m mobilenext_det.deploy.web MODEL.onnx.

Nothing leaves the machine: the page is served to 127.0.0.1 alone, and neither it nor its server calls another host.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mobilenext_det.datasets.image_check import BrokenImageError, check_complete
from mobilenext_det.display.drawing import draw_detections, legible_zoom
from mobilenext_det.errors import UserError

from .formats import open_exported
from .runtime import DeployError, Detector, read_image

if TYPE_CHECKING:
    import gradio
    import numpy as np

SCORE_THR = 0.3
HOUR = 3600
MAX_UPLOAD = 32 << 20  # bytes of a picture


class Seen(NamedTuple):
    """A picture, (H, W, 3) in BGR, and all that was found in it, whatever its score."""

    image: np.ndarray
    detections: list[dict]


def build_page(detector: Detector) -> gradio.Blocks:
    """Lay out the page and say what acts on what.

    The network runs once for a picture; the threshold only chooses among what it found.
    """
    import gradio

    name = Path(detector.path).name
    # Pictures that were shown are files in a temporary folder; an hour later they go.
    with gradio.Blocks(title=name, analytics_enabled=False, delete_cache=(HOUR, HOUR)) as page:
        gradio.Markdown(
            f'# Object detection with {_plain(name)}\n'
            f'**Input:** {detector.fit.width} × {detector.fit.height} pixels &emsp; '
            f'**{len(detector.classes)} classes:** {_plain(", ".join(detector.classes))}'
        )
        seen = gradio.State()
        with gradio.Row():
            with gradio.Column(scale=2):
                upload = gradio.File(label='Picture', file_types=['image'], height=130)
                threshold = gradio.Slider(0, 1, SCORE_THR, step=0.01, label='Score threshold')
                timing = gradio.Markdown(elem_id='timing')
                table = gradio.Dataframe(
                    headers=['class', 'score', 'x1', 'y1', 'x2', 'y2'],
                    datatype=['str', 'number', 'number', 'number', 'number', 'number'],
                    label='Classes, scores and boxes in pixels',
                    interactive=False,
                )
            with gradio.Column(scale=3):
                picture = gradio.Image(label='Detections', format='webp', buttons=['download', 'fullscreen'])
        shown: dict[str, Any] = dict(
            fn=partial(show, classes=detector.classes), inputs=[seen, threshold], outputs=[picture, table]
        )
        # The upload is emptied, so that the next picture can be dropped at once.
        upload.upload(partial(look, detector), upload, [seen, timing, upload]).then(**shown)
        threshold.change(**shown, trigger_mode='always_last', show_progress='hidden')
    return page


def look(detector: Detector, path: str) -> tuple[Seen | None, str, None]:
    """Run the network on an uploaded file; return what was seen, a line on it, and nothing for the upload.

    Nothing is seen in a file that is no whole picture, and the line says so.
    """
    name = _plain(Path(path).name)
    try:
        check_complete(path)
        image = read_image(path)
    except (BrokenImageError, DeployError):
        return None, f'**{name} is no picture that can be read, or it is cut off: choose another.**', None
    start = time.perf_counter()
    detections = detector(image, 0.0)
    milliseconds = 1000 * (time.perf_counter() - start)
    height, width = image.shape[:2]
    line = f'{name}, {width} × {height} pixels: **{milliseconds:.1f} ms** (preparation, network and suppression)'
    return Seen(image, detections), line, None


def show(
    seen: Seen | None, threshold: float, classes: Sequence[str]
) -> tuple[np.ndarray | None, list[list[str | float]]]:
    """Return the picture with its boxes, (H, W, 3) in RGB, and the table's rows; neither without a picture."""
    if seen is None:
        return None, []
    chosen = [one for one in seen.detections if one['score'] >= threshold]
    drawn = draw_detections(seen.image, chosen, classes, legible_zoom(seen.image))
    return drawn[..., ::-1], [[one['class'], one['score'], *one['box']] for one in chosen]


def _plain(text: str) -> str:
    """Let Markdown show any text as it is: names of files and classes are no markup."""
    return re.sub(r'([!-/:-@[-`{-~])', r'\\\1', ' '.join(text.split()))


def serve(page: gradio.Blocks, port: int) -> None:
    """Serve the page to this machine until Ctrl-C.

    Raises:
        DeployError: If the port cannot be had.
    """
    import gradio

    os.environ['no_proxy'] = '127.0.0.1'  # the server asks itself whether it is up, which a proxy could not answer
    try:
        _, url, _ = page.launch(
            server_name='127.0.0.1',
            server_port=port,
            max_file_size=MAX_UPLOAD,
            share=False,
            ssr_mode=False,
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            theme=gradio.themes.Default(font='sans-serif', font_mono='monospace'),
            quiet=True,
            prevent_thread_lock=True,
        )
    except (OSError, OverflowError):  # taken or forbidden, or no port number
        raise DeployError(f'Port {port} is taken or not allowed: name another with --port.') from None
    print(f'The page is at {url} until Ctrl-C.', flush=True)
    page.block_thread()


def _export_shipped(folder: str) -> Path:
    from mobilenext_det.deploy.export import export
    from mobilenext_det.engine.config import load_config
    from mobilenext_det.engine.run_files import shipped_files

    config, checkpoint = shipped_files()
    return export(load_config(config), checkpoint, folder).path


def main() -> int:
    """Serve the page; return 2 after one sentence on stderr if that cannot be."""
    parser = argparse.ArgumentParser(description='Try an exported detector on a web page that only this machine sees.')
    parser.add_argument(
        'model', nargs='?', help='file that tools/export.py wrote; without it, the detector that comes along'
    )
    parser.add_argument('--port', type=int, default=7860, help='port of the page (default: %(default)s)')
    parser.add_argument('--threads', type=int, help='threads to use (default: the choice of what runs it)')
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            model = args.model or _export_shipped(folder)
            serve(build_page(open_exported(model, args.threads)), args.port)
    except (DeployError, UserError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
