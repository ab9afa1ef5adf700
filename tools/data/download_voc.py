"""Download PASCAL VOC 2007 and 2012 from their official host, check them and unpack them.

    python tools/data/download_voc.py                 # all three archives (2.9 GB) into data/VOCdevkit
    python tools/data/download_voc.py --years 2007    # VOC2007 alone (0.9 GB)

The folder given with --out ends up holding VOC2007/ and VOC2012/: it is the `data_root` of the configs. Running the
command again continues what was interrupted, and does nothing once all is there.

pooch fetches. It would begin a download that broke off from its start, which two gigabytes from a slow host may never
survive, so that `append` has it go on behind what came. The MD5 digests are those of torchvision's datasets/voc.py; the
host is the one that its system administrator calls the long-term address (upstream thread: pytorch/vision#9216).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pooch
import requests
from tqdm import tqdm

OFFICIAL = 'https://thor.robots.ox.ac.uk/pascal/VOC'
CHUNK = 1 << 14  # bytes; what a connection that drops may lose
TIMEOUT = 60  # seconds without a byte after which a connection counts as dropped
WAITS = (1, 2, 4, 8, 16)  # seconds before each retry in a row of attempts that gain nothing


@dataclass(frozen=True)
class Archive:
    """One archive and the split of VOC that it holds: `size` is in bytes, `images` counts the split's list."""

    name: str
    md5: str
    size: int
    year: int
    split: str
    images: int

    @property
    def label(self) -> str:
        """What to call it on the terminal."""
        return f'VOC{self.year} {self.split}'

    def url(self, mirror: str | None) -> str:
        """Return where to fetch it: from the mirror if there is one, else from the official host."""
        return f'{mirror.rstrip("/") if mirror else f"{OFFICIAL}/voc{self.year}"}/{self.name}'

    def list_file(self, root: Path) -> Path:
        """Return the file below `root` that lists the split's images."""
        return root / f'VOC{self.year}' / 'ImageSets' / 'Main' / f'{self.split}.txt'

    def listed(self, root: Path) -> set[str] | None:
        """Return the names of the split's images below `root`, or None if it has no list."""
        return set(self.list_file(root).read_text().split()) if self.list_file(root).is_file() else None


ARCHIVES = (
    Archive('VOCtrainval_06-Nov-2007.tar', 'c52e279531787c972589f7e41ab4ae64', 460032000, 2007, 'trainval', 5011),
    Archive('VOCtest_06-Nov-2007.tar', 'b6e924de25625d8de591ea690078ad9f', 451020800, 2007, 'test', 4952),
    Archive('VOCtrainval_11-May-2012.tar', '6cd6e144f989b92b3379bac3b3de84fd', 1999639040, 2012, 'trainval', 11540),
)


class DownloadError(Exception):
    """What went wrong and what to do about it, in a sentence."""


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, 0 if there is none."""
    return path.stat().st_size if path.is_file() else 0


def first_gap(root: Path, archive: Archive) -> str | None:
    """Return what keeps the archive's split from being complete below `root`, or None if nothing does."""
    list_file, names = archive.list_file(root).relative_to(root), archive.listed(root)
    if names is None:
        return f'{list_file} is missing'
    if len(names) != archive.images:
        return f'{list_file} lists {len(names)} images instead of {archive.images}'
    for name in sorted(names):
        for path in (f'VOC{archive.year}/JPEGImages/{name}.jpg', f'VOC{archive.year}/Annotations/{name}.xml'):
            if not size_of(root / path):
                return f'{path}, which {list_file} lists, is missing or empty'
    return None


def append(url: str, part: Path, archive: Archive) -> None:
    """Append to `part` what it lacks of the file at `url`; start over if the server cannot resume."""
    offset = size_of(part)

    def start_over(response: requests.Response, **_: Any) -> None:
        if offset and response.status_code == requests.codes.ok:
            print(f'{url} cannot be resumed, so it starts over.', file=sys.stderr)
            file.truncate(0)

    headers = {'Range': f'bytes={offset}-'} if offset else {}
    bar = tqdm(desc=archive.label, total=archive.size, unit='B', unit_scale=True)
    fetch = pooch.HTTPDownloader(bar, CHUNK, headers=headers, timeout=TIMEOUT, hooks={'response': start_over})
    with bar, part.open('ab') as file:
        fetch(url, file, None)


def download(url: str, part: Path, archive: Archive, waits: Sequence[float]) -> None:
    """Fetch `url` into `part`, resuming after a dropped connection until len(waits) retries in a row gain nothing.

    Raises:
        DownloadError: If the server refuses, or the retries are used up.
    """
    best, failures = size_of(part), 0
    while True:
        try:
            return append(url, part, archive)
        except requests.HTTPError as error:
            status = error.response.status_code
            if status == requests.codes.requested_range_not_satisfiable:
                return None  # nothing is left to fetch; the MD5 tells whether that is right
            reason = f'the server answered {status} {error.response.reason}'
            if status < 500 and status not in (requests.codes.request_timeout, requests.codes.too_many_requests):
                raise DownloadError(f'{url} cannot be fetched, {reason}: name another server with --mirror.') from error
        except requests.exceptions.ChunkedEncodingError:
            reason = f'the connection ended at byte {size_of(part)} of {archive.size}'
        except requests.RequestException as error:
            reason = str(error)
        if size_of(part) > best:
            best, failures = size_of(part), 0
        if failures == len(waits):
            kept = f' ({part} is kept, to resume from)' if size_of(part) else ''
            raise DownloadError(
                f'{url} cannot be fetched, {reason}: run the command again later{kept} or name another server with '
                '--mirror.'
            )
        print(f'{url}: {reason}; trying again in {waits[failures]} s.', file=sys.stderr)
        time.sleep(waits[failures])
        failures += 1


def obtain(archive: Archive, out: Path, mirror: str | None, waits: Sequence[float]) -> Path:
    """Return the path of the archive in `out`, its MD5 checked; it is downloaded unless it lies there already.

    Raises:
        DownloadError: If it cannot be fetched or has another MD5. A wrong download is deleted, as resuming could never
            mend it; a wrong file that somebody else put there is not.
    """
    path, part, url = out / archive.name, out / f'{archive.name}.part', archive.url(mirror)
    found = path.exists()
    if not found:
        download(url, part, archive, waits)
    digest = pooch.file_hash(str(path if found else part), 'md5')
    if digest == archive.md5:
        return path if found else part.rename(path)
    if found:
        raise DownloadError(f'{path} has MD5 {digest} instead of {archive.md5}: delete it and run the command again.')
    part.unlink()
    raise DownloadError(
        f'{url} has MD5 {digest} instead of {archive.md5}, so the download was deleted: run the command again or name '
        'another server with --mirror.'
    )


def unpack(path: Path, folder: Path) -> None:
    """Unpack the tar file `path`, whose members all lie in VOCdevkit/, into `folder`.

    All members are looked at before the first is written, and only plain files and folders are taken: nothing can be
    led outside, also by a Python before 3.11.4, whose tarfile has no filters.

    Raises:
        DownloadError: If a member is no plain file or folder inside VOCdevkit/, or the tar file is damaged.
    """
    try:
        with tarfile.open(path, 'r:') as tar:
            for member in tar.getmembers():
                parts = PurePosixPath(member.name).parts
                inside = parts[:1] == ('VOCdevkit',) and '..' not in parts and '\\' not in member.name
                if not inside or not (member.isreg() or member.isdir()):
                    raise DownloadError(
                        f'{path} holds {member.name!r}, which is no plain file or folder inside VOCdevkit/, so nothing '
                        'was unpacked: delete the archive and fetch it from another server with --mirror.'
                    )
            tar.extraction_filter = getattr(tarfile, 'data_filter', lambda member, _: member)
            tar.extractall(folder)
    except tarfile.TarError as error:
        raise DownloadError(f'{path} cannot be unpacked ({error}): delete it and run the command again.') from error


def install(path: Path, archive: Archive, out: Path) -> None:
    """Unpack the archive beside its place, check it there and move it into place, the split's list last.

    A split without its list is not complete, so one whose unpacking or moving was interrupted is done again.

    Raises:
        DownloadError: If the archive does not hold the whole split.
    """
    unpacked = out / f'.{archive.name}.unpacked'
    shutil.rmtree(unpacked, ignore_errors=True)  # a killed run leaves it
    try:
        print(f'{archive.label}: unpacking', file=sys.stderr)
        unpack(path, unpacked)
        fresh = unpacked / 'VOCdevkit'
        if gap := first_gap(fresh, archive):
            raise DownloadError(f'{path} does not hold all of {archive.label} ({gap}): delete it and fetch it again.')
        list_file = archive.list_file(fresh)
        files = [file for file in fresh.rglob('*') if file.is_file() and file != list_file]
        for file in (*files, list_file):
            target = out / file.relative_to(fresh)
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def check_room(archives: Sequence[Archive], out: Path, keep: bool) -> None:
    """Make sure the disk has room for the archives and for what they unpack to: as much again, and a tenth for blocks.

    Raises:
        DownloadError: If it has not.
    """
    to_fetch = [item.size - size_of(out / item.name) - size_of(out / f'{item.name}.part') for item in archives]
    needed = 1.1 * sum(item.size for item in archives) + (sum(to_fetch) if keep else max(to_fetch))
    free = shutil.disk_usage(out).free
    if free < needed:
        raise DownloadError(
            f'{out} has {free / 1e9:.1f} GB free, but {needed / 1e9:.1f} GB are needed: make room or name a folder on '
            'another disk with --out.'
        )


def fetch_all(
    archives: Sequence[Archive],
    out: Path,
    mirror: str | None = None,
    keep: bool = False,
    waits: Sequence[float] = WAITS,
) -> None:
    """Make `out` hold the splits of the archives, complete; what is complete already is left as it is.

    Args:
        archives: What to fetch.
        out: Folder that is to hold VOC2007/ and VOC2012/; made if it does not exist.
        mirror: Address of a folder that holds the archives, instead of the official host.
        keep: Keep each archive in `out` after unpacking it.
        waits: Seconds to wait before each retry.

    Raises:
        DownloadError: If that is not possible.
    """
    out.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        if (names := archive.listed(out)) is not None and len(names) != archive.images:
            raise DownloadError(
                f'{archive.list_file(out)} lists {len(names)} images instead of {archive.images}, so {out} holds '
                'another data set: name another folder with --out.'
            )
    gaps = {archive: gap for archive in archives if (gap := first_gap(out, archive))}
    if gaps:
        check_room(list(gaps), out, keep)
    for archive in archives:
        if archive in gaps:
            print(f'{archive.label}: {gaps[archive]}, so {archive.name} is fetched.')
            path = obtain(archive, out, mirror, waits)
            install(path, archive, out)
            if not keep:
                path.unlink()
        print(f'{archive.label}: complete, {archive.images} images with their annotations.')
    print(f'Data root: {out}' if gaps else f'Data root: {out} (nothing to do)')


def http_url(text: str) -> str:
    """Return `text` if it is an HTTP address, else let argparse say that it is not."""
    if not text.startswith(('http://', 'https://')):
        raise argparse.ArgumentTypeError(f'{text!r} does not begin with http:// or https://')
    return text


def main() -> int:
    """Read the command line, fetch what is missing and return the exit code."""
    parser = argparse.ArgumentParser(description='Download, check and unpack PASCAL VOC 2007 and 2012.')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('data/VOCdevkit'),
        metavar='DIR',
        help='data root to fill; an archive that already lies there is not downloaded (default: %(default)s)',
    )
    parser.add_argument(
        '--years', type=int, nargs='+', choices=(2007, 2012), default=(2007, 2012), help='default: both'
    )
    parser.add_argument('--mirror', type=http_url, metavar='URL', help='another folder that holds the archives')
    parser.add_argument('--keep-archives', action='store_true', help='do not delete the archives after unpacking')
    args = parser.parse_args()
    archives = [archive for archive in ARCHIVES if archive.year in args.years]
    try:
        fetch_all(archives, args.out, args.mirror, args.keep_archives)
    except KeyboardInterrupt:
        print(f'\nStopped; what came is kept in {args.out}: run the same command again to resume.', file=sys.stderr)
        return 130
    except (DownloadError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
