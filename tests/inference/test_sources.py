"""Images and streams from a server of this machine, cameras that are not there, and files that OpenCV refuses."""

import socket
import struct
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from mobilenext_det.inference.detect import detect
from mobilenext_det.inference.sources import Source, UnreadableError, find_sources

IMAGE = np.full((48, 64, 3), (30, 90, 200), np.uint8)
FRAMES = 7


class Handler(BaseHTTPRequestHandler):
    """An image, an MJPEG stream of `FRAMES` frames as network cameras send it, text, and nothing else."""

    def do_GET(self):
        jpeg = cv2.imencode('.jpg', IMAGE)[1].tobytes()
        if self.path.startswith('/picture'):
            self.answer('image/jpeg', jpeg)
        elif self.path == '/broken.jpg':
            self.answer('image/jpeg', b'no picture')
        elif self.path == '/page.html':
            self.answer('text/html', b'<p>no picture')
        elif self.path == '/stream':
            part = b'--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n' % (len(jpeg), jpeg)
            self.answer('multipart/x-mixed-replace; boundary=frame', part * FRAMES + b'--frame--\r\n')
        else:
            self.send_error(404)

    def answer(self, kind, content):
        self.send_response(200)
        self.send_header('Content-Type', kind)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope='module')
def server():
    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()


def test_images_and_streams_at_addresses(detector, server, tmp_path):
    inputs = [f'{server}/picture%20one.jpg?size=big', f'{server}/pictures/200', f'{server}/stream', f'{server}/none']
    results, failures = detect(detector, inputs, tmp_path)
    assert [result['file'] for result in results] == inputs[:3]
    assert [(result['width'], result['height']) for result in results] == [(64, 48)] * 3
    assert len(results[2]['frames']) == FRAMES
    assert failures == [f'{inputs[3]} cannot be fetched (HTTP Error 404: Not Found).']
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        '200.jpg', '200.json', 'picture_one.jpg', 'picture_one.json', 'stream.json', 'stream.mp4',
    ]  # fmt: skip


def test_what_is_no_image_at_an_address_is_named(server):
    for name in ('broken.jpg', 'page.html'):
        with pytest.raises(UnreadableError, match=f'/{name}: there is neither an image nor a video that can be read'):
            Source(f'{server}/{name}', '').read()
    with socket.socket() as closed:
        closed.bind(('127.0.0.1', 0))
        address = f'http://127.0.0.1:{closed.getsockname()[1]}/x.jpg'
        with pytest.raises(UnreadableError, match=rf'{address} cannot be fetched \(.*refused'):
            Source(address, '').read()
    for address in ('http://', 'http://a b/x.jpg', 'rtsp://127.0.0.1:9/stream'):
        with pytest.raises(UnreadableError, match=address):
            Source(address, '').read()


def test_a_number_is_a_camera_unless_there_is_such_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (camera,) = find_sources(['97'])
    assert (camera.stem, camera.is_live) == ('camera-97', True)
    with pytest.raises(UnreadableError, match='camera 97 cannot be opened: is it there, and free'):
        camera.read()
    (tmp_path / '97').write_text('a file')
    assert not find_sources(['97'])[0].is_live


def test_ctrl_c_ends_a_stream_and_keeps_what_was_seen(detector, server, tmp_path):
    seen = []

    def interrupted(image, score_thr):
        seen.append(image)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return []

    interrupted.classes = detector.classes
    (result,), failures = detect(interrupted, [f'{server}/stream'], tmp_path)
    assert (len(result['frames']), failures) == (3, [])
    assert cv2.VideoCapture(str(tmp_path / 'stream.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == 3
    cv2.VideoWriter(str(tmp_path / 'file.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 5, (64, 48)).write(IMAGE)
    seen[:] = [None] * 3
    with pytest.raises(KeyboardInterrupt):
        detect(interrupted, [str(tmp_path / 'file.avi')], tmp_path / 'out')


def test_a_picture_that_opencv_refuses_is_named(tmp_path):
    """A PNG that says it has 2^32 pixels, of which OpenCV raises an error of its own."""

    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', 2**16, 2**16, 8, 2, 0, 0, 0)
    parts = (b'\x89PNG\r\n\x1a\n', chunk(b'IHDR', header), chunk(b'IDAT', zlib.compress(b'')), chunk(b'IEND', b''))
    (tmp_path / 'huge.png').write_bytes(b''.join(parts))
    with pytest.raises(UnreadableError, match='huge.png: '):
        Source(str(tmp_path / 'huge.png'), 'huge').read()


def test_names_of_one_folder_in_any_case_and_ending(tmp_path):
    for name in ('a.JPG', 'b.jfif', 'c.WebP', 'd.TIF', 'e.Mp4', 'f.txt'):
        (tmp_path / name).touch()
    assert [source.stem for source in find_sources([tmp_path])] == ['a', 'b', 'c', 'd', 'e']
