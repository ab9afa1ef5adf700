"""tools/data/download_voc.py against a real HTTP server on this machine, with small archives in VOC layout."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import re
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'data' / 'download_voc.py'
NO_WAITS = (0, 0, 0)


def load_tool():
    spec = importlib.util.spec_from_file_location('download_voc', TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


voc = load_tool()


class Server(ThreadingHTTPServer):
    """Serves `files`; each request takes the first of `faults`: a status, or a number of bytes to cut or hang after."""

    def __init__(self, files):
        super().__init__(('127.0.0.1', 0), Handler)
        self.files, self.ranges, self.faults, self.requests = files, True, [], []
        self.release = threading.Event()
        self.url = f'http://127.0.0.1:{self.server_port}'


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get('Range')
        self.server.requests.append((self.path.lstrip('/'), wanted))
        fault, value = self.server.faults.pop(0) if self.server.faults else (None, None)
        body = self.server.files.get(self.path.lstrip('/'))
        if body is None or fault == 'status':
            return self.send_error(404 if body is None else value)
        start = int(re.fullmatch(r'bytes=(\d+)-', wanted)[1]) if wanted and self.server.ranges else 0
        if start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header('Content-Length', str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : start + value] if fault else body[start:])
        if fault == 'hang':
            self.wfile.flush()
            self.server.release.wait()

    def log_message(self, *args):
        pass


def tar_of(members):
    """A tar file, from (name or TarInfo, bytes) pairs."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as tar:
        for member, content in members:
            if isinstance(member, str):
                member = tarfile.TarInfo(member)
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def voc_files(year, split, names, bulk=40_000):
    """Content of a split: path below VOCdevkit/ -> bytes."""
    files = {f'VOC{year}/ImageSets/Main/{split}.txt': ''.join(f'{name}\n' for name in names).encode()}
    for name in names:
        files[f'VOC{year}/JPEGImages/{name}.jpg'] = name.encode() * (bulk // len(name))
        files[f'VOC{year}/Annotations/{name}.xml'] = f'<annotation>{name}</annotation>'.encode()
    files[f'VOC{year}/SegmentationClass/{names[0]}.png'] = b'png'
    return files


def archive_of(name, year, split, images, blob):
    return voc.Archive(name, hashlib.md5(blob).hexdigest(), len(blob), year, split, images)


class Case:
    """A small VOC with the names of the real archives, and the server that has them."""

    def __init__(self):
        parts = (
            ('VOCtrainval_06-Nov-2007.tar', 2007, 'trainval', ['000005', '000007', '000009']),
            ('VOCtest_06-Nov-2007.tar', 2007, 'test', ['000001', '000002']),
            ('VOCtrainval_11-May-2012.tar', 2012, 'trainval', ['2008_000002', '2008_000003']),
        )
        self.content, blobs, self.archives = {}, {}, []
        for name, year, split, images in parts:
            files = voc_files(year, split, images)
            self.content |= files
            blobs[name] = tar_of((f'VOCdevkit/{path}', data) for path, data in files.items())
            self.archives.append(archive_of(name, year, split, len(images), blobs[name]))
        self.server = Server(blobs)

    def only(self, blob, images=3):
        """Serve `blob` as the only archive, and return the table that goes with it."""
        name = 'VOCtrainval_06-Nov-2007.tar'
        self.server.files = {name: blob}
        return [archive_of(name, 2007, 'trainval', images, blob)]


@pytest.fixture
def case(monkeypatch):
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    case = Case()
    thread = threading.Thread(target=case.server.serve_forever, kwargs={'poll_interval': 0.02})
    thread.start()
    yield case
    case.server.release.set()
    case.server.shutdown()
    case.server.server_close()
    thread.join()


def tree(folder):
    """All that lies below a folder: path -> bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def fetch(case, out, archives=None, **options):
    voc.fetch_all(archives or case.archives, out, case.server.url, **{'waits': NO_WAITS, **options})


# --- a download that goes well


def test_the_three_archives_become_one_data_root(case, tmp_path, capsys):
    fetch(case, tmp_path / 'devkit')
    assert tree(tmp_path / 'devkit') == case.content  # nothing else is left: no archive, no part, no temporary folder
    assert [path.name for path in sorted((tmp_path / 'devkit').iterdir())] == ['VOC2007', 'VOC2012']
    assert case.server.requests == [(archive.name, None) for archive in case.archives]
    output = capsys.readouterr()
    for line in (
        'VOC2007 trainval: complete, 3 images',
        'VOC2007 test: complete, 2 images',
        'VOC2012 trainval: complete',
    ):
        assert line in output.out
    assert re.search(r'VOC2007 test: 100%\|█+\| 92\.2k/92\.2k', output.err)


def test_a_second_run_asks_for_nothing_and_touches_nothing(case, tmp_path, capsys):
    fetch(case, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*')}
    case.server.requests.clear()
    fetch(case, tmp_path)
    assert case.server.requests == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*')} == before
    assert 'nothing to do' in capsys.readouterr().out


def test_archives_are_kept_when_asked_and_used_when_there(case, tmp_path):
    fetch(case, tmp_path, keep=True)
    assert {name: data for name, data in tree(tmp_path).items() if name.endswith('.tar')} == case.server.files
    (tmp_path / 'VOC2007/JPEGImages/000007.jpg').unlink()
    case.server.requests.clear()
    fetch(case, tmp_path)
    assert case.server.requests == []
    kept = {
        name: case.server.files[name] for name in list(case.server.files)[1:]
    }  # the one used is deleted, as not asked
    assert tree(tmp_path) == case.content | kept


@pytest.mark.parametrize('lost', ['JPEGImages/000002.jpg', 'Annotations/000001.xml'])
@pytest.mark.parametrize('how', ['missing', 'empty'])
def test_a_lost_file_is_noticed_and_only_its_archive_fetched(case, tmp_path, capsys, lost, how):
    fetch(case, tmp_path)
    (tmp_path / 'VOC2007' / lost).unlink()
    if how == 'empty':
        (tmp_path / 'VOC2007' / lost).touch()
    case.server.requests.clear()
    fetch(case, tmp_path)
    assert case.server.requests == [('VOCtest_06-Nov-2007.tar', None)]
    assert tree(tmp_path) == case.content
    assert (
        f'VOC2007/{lost}, which VOC2007/ImageSets/Main/test.txt lists, is missing or empty' in capsys.readouterr().out
    )


# --- a connection that drops


def test_a_dropped_connection_is_resumed_where_it_ended(case, tmp_path, capsys):
    case.server.faults = [('cut', 2 * voc.CHUNK), ('cut', voc.CHUNK)]
    fetch(case, tmp_path, case.archives[:1])
    name = case.archives[0].name
    assert case.server.requests == [
        (name, None),
        (name, f'bytes={2 * voc.CHUNK}-'),
        (name, f'bytes={3 * voc.CHUNK}-'),
    ]
    assert set(tree(tmp_path).items()) < set(case.content.items())
    assert f'the connection ended at byte {2 * voc.CHUNK} of {case.archives[0].size}' in capsys.readouterr().err


def test_a_later_run_resumes_the_part_file(case, tmp_path):
    name = case.archives[0].name
    (tmp_path / f'{name}.part').write_bytes(case.server.files[name][:70_001])
    fetch(case, tmp_path, case.archives[:1])
    assert case.server.requests == [(name, 'bytes=70001-')]
    assert voc.first_gap(tmp_path, case.archives[0]) is None


def test_a_part_file_that_is_whole_is_used(case, tmp_path):
    name = case.archives[0].name
    (tmp_path / f'{name}.part').write_bytes(case.server.files[name])
    fetch(case, tmp_path, case.archives[:1])
    assert voc.first_gap(tmp_path, case.archives[0]) is None


def test_a_server_that_ignores_ranges_makes_it_start_over(case, tmp_path, capsys):
    case.server.ranges = False
    case.server.faults = [('cut', 3 * voc.CHUNK)]
    fetch(case, tmp_path, case.archives[:1])
    assert [wanted for _, wanted in case.server.requests] == [None, f'bytes={3 * voc.CHUNK}-']
    assert voc.first_gap(tmp_path, case.archives[0]) is None
    assert 'cannot be resumed, so it starts over' in capsys.readouterr().err


def test_retries_that_gain_nothing_are_bounded(case, tmp_path):
    """A server without ranges that always cuts at the same byte delivers bytes each time, but never more."""
    case.server.ranges = False
    case.server.faults = [('cut', voc.CHUNK)] * 50
    with pytest.raises(
        voc.DownloadError, match=rf'ended at byte {voc.CHUNK} of \d+: run the command again later \(.*\.part is kept'
    ):
        fetch(case, tmp_path, case.archives[:1])
    assert len(case.server.requests) == 1 + len(NO_WAITS)


def test_a_server_error_is_retried_and_a_refusal_is_not(case, tmp_path):
    case.server.faults = [('status', 503), ('status', 429)]
    fetch(case, tmp_path, case.archives[:1])
    assert len(case.server.requests) == 3

    case.server.files.clear()
    case.server.requests.clear()
    with pytest.raises(
        voc.DownloadError, match=r'VOCtest_06-Nov-2007\.tar cannot be fetched, the server answered 404 .*--mirror'
    ):
        fetch(case, tmp_path)
    assert len(case.server.requests) == 1


def test_an_unreachable_host_is_named(case, tmp_path, capsys):
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        url = f'http://127.0.0.1:{unused.getsockname()[1]}'
        with pytest.raises(
            voc.DownloadError, match=f'{url}/VOCtrainval_06-Nov-2007.tar cannot be fetched, .*refused'
        ) as error:
            voc.fetch_all(case.archives, tmp_path, url, waits=NO_WAITS)
    assert '.part' not in str(error.value)  # nothing came, so nothing is said to be kept
    assert capsys.readouterr().err.count('trying again in 0 s') == len(NO_WAITS)


# --- an archive that is not what it should be


def test_a_download_with_a_wrong_checksum_is_deleted(case, tmp_path):
    name = case.archives[0].name
    case.server.files[name] = case.server.files[name][:-1] + b'x'
    with pytest.raises(
        voc.DownloadError, match=rf'{name} has MD5 \w{{32}} instead of {case.archives[0].md5}, .* deleted'
    ):
        fetch(case, tmp_path)
    assert tree(tmp_path) == {}


def test_a_wrong_archive_of_the_user_is_refused_but_not_deleted(case, tmp_path):
    path = tmp_path / case.archives[0].name
    path.write_bytes(b'half of it')
    with pytest.raises(
        voc.DownloadError, match=rf'{path} has MD5 \w{{32}} instead of {case.archives[0].md5}: delete it'
    ):
        fetch(case, tmp_path)
    assert tree(tmp_path) == {path.name: b'half of it'}
    assert case.server.requests == []


def special(name, kind, target=''):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    'member',
    [
        '../evil',
        'VOCdevkit/../../evil',
        'VOCdevkit/VOC2007/../../../evil',
        '/evil',
        'evil',
        'VOCdevkit_evil/x',
        'VOCdevkit\\..\\..\\evil',
        'VOCdevkit/..\\..\\evil',
        special('VOCdevkit/VOC2007/evil', tarfile.SYMTYPE, '../../../outside'),
        special('VOCdevkit/VOC2007/evil', tarfile.SYMTYPE, 'JPEGImages/000005.jpg'),
        special('VOCdevkit/VOC2007/evil', tarfile.LNKTYPE, 'VOCdevkit/VOC2007/JPEGImages/000005.jpg'),
        special('VOCdevkit/VOC2007/evil', tarfile.CHRTYPE),
        special('VOCdevkit/VOC2007/evil', tarfile.BLKTYPE),
        special('VOCdevkit/VOC2007/evil', tarfile.FIFOTYPE),
        special('../evil', tarfile.DIRTYPE),
    ],
    ids=lambda member: (
        member if isinstance(member, str) else f'{member.name}-type{member.type.decode()}-{member.linkname}'
    ),
)
def test_a_hostile_member_is_refused_by_name_before_anything_is_written(case, tmp_path, member):
    files = voc_files(2007, 'trainval', ['000005', '000007', '000009'])
    blob = tar_of([*((f'VOCdevkit/{path}', data) for path, data in files.items()), (member, b'')])
    (tmp_path / 'a/b').mkdir(parents=True)
    name = member if isinstance(member, str) else member.name
    with pytest.raises(voc.DownloadError, match=re.escape(f'holds {name!r}, which is no plain file or folder inside')):
        fetch(case, tmp_path / 'a/b/out', case.only(blob))
    assert tree(tmp_path) == {'a/b/out/VOCtrainval_06-Nov-2007.tar': blob}
    assert not list(tmp_path.rglob('*evil*'))


def test_a_link_followed_by_a_file_through_it_writes_nothing_outside(case, tmp_path):
    outside = tmp_path / 'outside'
    outside.mkdir()
    members = [(special('VOCdevkit/link', tarfile.SYMTYPE, str(outside)), b''), ('VOCdevkit/link/evil', b'evil')]
    with pytest.raises(voc.DownloadError, match="'VOCdevkit/link'"):
        fetch(case, tmp_path / 'out', case.only(tar_of(members)))
    assert list(outside.iterdir()) == []


def incomplete(change):
    files = voc_files(2007, 'trainval', ['000005', '000007', '000009'])
    change(files)
    return tar_of((f'VOCdevkit/{path}', data) for path, data in files.items())


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda f: f.pop('VOC2007/JPEGImages/000007.jpg'), 'JPEGImages/000007.jpg, which .* is missing or empty'),
        (
            lambda f: f.update({'VOC2007/Annotations/000007.xml': b''}),
            'Annotations/000007.xml, which .* is missing or empty',
        ),
        (lambda f: f.pop('VOC2007/ImageSets/Main/trainval.txt'), 'Main/trainval.txt is missing'),
        (lambda f: f.update({'VOC2007/ImageSets/Main/trainval.txt': b'000005\n'}), 'lists 1 images instead of 3'),
        (lambda f: f.update({'VOC2007/ImageSets/Main/trainval.txt': b'000005\n' * 3}), 'lists 1 images instead of 3'),
    ],
)
def test_an_archive_without_the_whole_split_is_not_installed(case, tmp_path, change, message):
    blob = incomplete(change)
    with pytest.raises(voc.DownloadError, match=f'does not hold all of VOC2007 trainval .*{message}'):
        fetch(case, tmp_path, case.only(blob))
    assert tree(tmp_path) == {'VOCtrainval_06-Nov-2007.tar': blob}


def test_a_tar_file_that_ends_early_is_not_installed(case, tmp_path):
    blob = case.server.files['VOCtrainval_06-Nov-2007.tar'][:60_000]
    with pytest.raises(voc.DownloadError, match=r'VOCtrainval_06-Nov-2007\.tar cannot be unpacked \(.*delete it'):
        fetch(case, tmp_path, case.only(blob))
    assert tree(tmp_path) == {'VOCtrainval_06-Nov-2007.tar': blob}


# --- a folder that is not what it should be


def test_a_folder_with_another_data_set_is_left_alone(case, tmp_path):
    own = voc_files(2007, 'test', ['mine1', 'mine2', 'mine3'])
    for name, data in own.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with pytest.raises(
        voc.DownloadError, match=r'test\.txt lists 3 images instead of 2, so .* holds another data set: .*--out'
    ):
        fetch(case, tmp_path)
    assert tree(tmp_path) == own
    assert case.server.requests == []


def test_too_little_room_is_said_before_anything_is_asked_for(case, tmp_path):
    huge = [voc.Archive('huge.tar', '0' * 32, 10**18, 2012, 'trainval', 1)]
    with pytest.raises(
        voc.DownloadError, match=rf'{tmp_path} has [\d.]+ GB free, but 2100000000\.0 GB are needed: .*--out'
    ):
        fetch(case, tmp_path, huge)
    assert case.server.requests == []


def test_what_an_interrupted_unpacking_left_is_replaced(case, tmp_path):
    """Images moved, the list not yet, and a temporary folder that a killed run left."""
    (tmp_path / 'VOC2007/JPEGImages').mkdir(parents=True)
    (tmp_path / 'VOC2007/JPEGImages/000005.jpg').write_bytes(b'half')
    left = tmp_path / '.VOCtrainval_06-Nov-2007.tar.unpacked/VOC2007/JPEGImages'
    left.mkdir(parents=True)
    (left / 'stale.jpg').write_bytes(b'stale')
    fetch(case, tmp_path)
    assert tree(tmp_path) == case.content


# --- the command, as a process

CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import download_voc as voc
voc.fetch_all([voc.Archive('a.tar', sys.argv[4], 0, 2007, 'trainval', 300)], voc.Path(sys.argv[2]), sys.argv[3])
"""


def wait_for(condition, process):
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def test_a_run_killed_while_it_moves_files_never_looks_complete(case, tmp_path):
    files = voc_files(2007, 'trainval', [f'{index:06d}' for index in range(300)], bulk=6)
    blob = tar_of((f'VOCdevkit/{path}', data) for path, data in files.items())
    case.server.files = {'a.tar': blob}
    archive = archive_of('a.tar', 2007, 'trainval', 300, blob)
    command = [sys.executable, '-c', CHILD, str(TOOL.parent), str(tmp_path), case.server.url, archive.md5]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for((tmp_path / 'VOC2007').exists, process)
        process.kill()
    if archive.list_file(tmp_path).exists():  # killed after the last move
        assert voc.first_gap(tmp_path, archive) is None
    case.server.files.clear()  # the archive lies there: no second download
    fetch(case, tmp_path, [archive])
    assert tree(tmp_path) == files


def run_tool(*arguments, **options):
    return subprocess.run([sys.executable, str(TOOL), *map(str, arguments)], capture_output=True, text=True, **options)


def test_the_table_names_the_official_archives():
    table = {archive.name: (archive.md5, archive.year, archive.split, archive.images) for archive in voc.ARCHIVES}
    assert table == {
        'VOCtrainval_06-Nov-2007.tar': ('c52e279531787c972589f7e41ab4ae64', 2007, 'trainval', 5011),
        'VOCtest_06-Nov-2007.tar': ('b6e924de25625d8de591ea690078ad9f', 2007, 'test', 4952),
        'VOCtrainval_11-May-2012.tar': ('6cd6e144f989b92b3379bac3b3de84fd', 2012, 'trainval', 11540),
    }
    assert [archive.url(None) for archive in voc.ARCHIVES] == [
        f'https://thor.robots.ox.ac.uk/pascal/VOC/{path}'
        for path in (
            'voc2007/VOCtrainval_06-Nov-2007.tar',
            'voc2007/VOCtest_06-Nov-2007.tar',
            'voc2012/VOCtrainval_11-May-2012.tar',
        )
    ]
    assert voc.ARCHIVES[0].url('http://mirror/voc/') == 'http://mirror/voc/VOCtrainval_06-Nov-2007.tar'


def test_the_command_needs_nothing_of_the_stack():
    result = subprocess.run([sys.executable, '-X', 'importtime', TOOL, '--help'], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for option in ('--out', '--years', '--mirror', '--keep-archives'):
        assert option in result.stdout
    imported = {line.split('|')[-1].strip().split('.')[0] for line in result.stderr.splitlines()}
    assert 'pooch' in imported
    assert not imported & {'torch', 'mmengine', 'mmdet', 'mobilenext_det'}


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [(['--years', '2008'], 'invalid choice: 2008'), (['--mirror', 'ftp://x'], "'ftp://x' does not begin with http://")],
)
def test_wrong_arguments_are_a_usage_error(arguments, message):
    done = run_tool(*arguments)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


def test_the_command_takes_the_years_asked_for_and_fails_in_a_sentence(case, tmp_path):
    """The small archives are not the official ones, so the real table refuses them."""
    done = run_tool('--out', tmp_path / 'x', '--years', '2012', '--mirror', case.server.url + '/')
    assert done.returncode == 2
    assert case.server.requests == [('VOCtrainval_11-May-2012.tar', None)]
    assert 'Traceback' not in done.stderr
    assert 'instead of 6cd6e144f989b92b3379bac3b3de84fd, so the download was deleted' in done.stderr.splitlines()[-1]

    (tmp_path / 'file').touch()
    done = run_tool('--out', tmp_path / 'file', '--mirror', case.server.url)
    assert done.returncode == 2
    assert re.fullmatch(r".*File exists: '.*/file'\n", done.stderr)


def test_ctrl_c_keeps_the_part_file_and_says_so(case, tmp_path):
    case.server.faults = [('hang', 64_000)]
    name = case.archives[0].name
    command = [sys.executable, str(TOOL), '--out', str(tmp_path), '--mirror', case.server.url]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell ignores SIGINT in what it starts in the background, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        wait_for(lambda: voc.size_of(tmp_path / f'{name}.part'), process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == f'Stopped; what came is kept in {tmp_path}: run the same command again to resume.'
    part = (tmp_path / f'{name}.part').read_bytes()
    assert part
    assert part == case.server.files[name][: len(part)]
    fetch(case, tmp_path)
    assert case.server.requests[1] == (name, f'bytes={len(part)}-')
    assert tree(tmp_path) == case.content
