"""The page for trying a detector, met over HTTP as a browser does, and as others might."""

import json
import os
import pickle
import socket
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from random import Random

from mobilenext_det.deploy import web
from tests.faults import mutation
from tests.faults.inert import Code
from tests.faults.world import World

PATIENCE = 300
"""Seconds within which an answer comes, on a busy machine."""


class Page:
    """A page that is served: its port, and the folder of what was uploaded."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url, self.port, self.folder = f'http://127.0.0.1:{port}', port, folder

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file and return where the server put it.

        Raises:
            HTTPError: If the server refuses it.
        """
        head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + b'\r\n--x--\r\n'
        (path,) = self._post('upload', body, 'multipart/form-data; boundary=x')
        return path

    def look(self, path: str) -> str:
        """Ask what is on an uploaded picture, and return the line that the page shows."""
        file = dict(path=path, meta=dict(_type='gradio.FileData'))
        session = uuid.uuid4().hex
        self._post(
            'queue/join', json.dumps(dict(data=[file], fn_index=0, session_hash=session)).encode(), 'application/json'
        )
        events = f'{self.url}/gradio_api/queue/data?session_hash={session}'
        with urllib.request.urlopen(events, timeout=PATIENCE) as answer:
            for line in answer:
                event = json.loads(line.partition(b'data: ')[2] or '{}')
                if event.get('msg') == 'process_completed':
                    if not event['success']:
                        raise ValueError(event['output'])
                    return event['output']['data'][1]
        raise ValueError('no answer')

    def _post(self, what: str, body: bytes, kind: str):
        request = urllib.request.Request(f'{self.url}/gradio_api/{what}', body, {'Content-Type': kind})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)


@contextmanager
def served(world: World) -> Iterator[Page]:
    """Serve a world's exported detector."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    folder = world.folder / 'uploads'
    process = get_context('fork').Process(target=_serve, args=(world.onnx, port, folder), daemon=True)
    process.start()
    page = Page(port, folder)
    start = time.monotonic()
    while True:
        try:
            urllib.request.urlopen(page.url, timeout=PATIENCE).close()
            break
        except OSError:
            if not process.is_alive() or time.monotonic() > start + PATIENCE:
                raise
            time.sleep(0.1)
    try:
        yield page
    finally:
        process.kill()
        process.join()


def _serve(model: Path, port: int, folder: Path) -> None:
    sys.stdout = sys.stderr = open(os.devnull, 'w')  # noqa: SIM115
    os.environ['GRADIO_TEMP_DIR'] = str(folder)
    sys.argv = ['web', str(model), '--port', str(port), '--threads', '1']
    web.main()


def loopback_alone(page: Page) -> Iterator[str]:
    """Look for the port on every address of this machine."""
    table = Path('/proc/net/tcp').read_text() + Path('/proc/net/tcp6').read_text()
    listening = {row.split()[1] for row in table.splitlines() if row.split()[3:4] == ['0A']}
    ours = {address for address in listening if address.endswith(f':{page.port:04X}')}
    yield 'refused' if ours == {f'0100007F:{page.port:04X}'} else f'FAULT listens on {ours}'


def too_large(page: Page) -> Iterator[str]:
    """Upload more than a picture may have."""
    try:
        page.upload('large.jpg', bytes(web.MAX_UPLOAD + (1 << 20)))
    except (urllib.error.HTTPError, ConnectionError) as error:
        yield 'refused' if getattr(error, 'code', 413) == 413 else f'FAULT answers {error}'
    else:
        yield 'FAULT takes a file of any size'


def at_once(page: Page, picture: bytes, count: int) -> Iterator[str]:
    """Upload pictures at once, each to be answered as a single one is."""

    def ask(number: int) -> str:
        line = page.look(page.upload(f'{number}.png', picture))
        return 'answered' if line.startswith(rf'{number}\.png, ') else f'FAULT says {line}'

    with ThreadPoolExecutor(count) as threads:
        yield from threads.map(ask, range(count))


def broken_files(page: Page, picture: bytes, count: int) -> Iterator[str]:
    """Upload damaged pictures, an empty one, and a checkpoint that carries code."""
    random, trace = Random(0), page.folder / 'ran'
    contents = [b'', pickle.dumps(Code(trace))]
    contents += [mutation.in_bytes(picture, random) for _ in range(count - len(contents))]
    for number, content in enumerate(contents):
        line = page.look(page.upload(f'{number}.png', content))
        if trace.exists():
            yield 'FAULT the code ran'
        elif 'no picture that can be read' in line:
            yield 'sentence'
        else:
            yield 'answered' if line.startswith(rf'{number}\.png, ') else f'FAULT says {line}'


NAMES = ('../../../escaped.png', '/etc/escaped.png', '..\\..\\escaped.png', '%2e%2e%2fescaped.png', 'a' * 5000 + '.png',
         '.png', '..', 'a\x00b.png', '<script>.png', '$(touch escaped).png')  # fmt: skip


def path_names(page: Page, picture: bytes, names: Sequence[str] = NAMES) -> Iterator[str]:
    """Upload under names that are paths, and ask for files that were never uploaded."""
    for name in names:
        try:
            path = Path(page.upload(name, picture)).resolve()
        except (urllib.error.HTTPError, ConnectionError) as error:
            yield 'refused' if getattr(error, 'code', 400) < 500 else f'FAULT answers {error} to {name[:40]!r}'
        else:
            yield 'kept inside' if path.is_relative_to(page.folder.resolve()) else f'FAULT writes {path}'
    for path in ('/etc/passwd', str(page.folder.parent / 'picture.png'), f'{page.folder}/../picture.png'):
        try:
            yield f'FAULT reads {path}: {page.look(path)}'
        except ValueError:
            yield 'refused'
        except urllib.error.HTTPError as error:
            yield 'refused' if error.code < 500 else f'FAULT answers {error} to {path}'


def outcomes_of_requests(world: World, count: int) -> Iterator[str]:
    """Serve the page once and do all of this to it, with so many pictures at once and so many broken ones."""
    picture = world.picture.read_bytes()
    with served(world) as page:
        yield from loopback_alone(page)
        yield from too_large(page)
        yield from at_once(page, picture, count)
        yield from broken_files(page, picture, count)
        yield from path_names(page, picture)
