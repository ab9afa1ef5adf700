"""What the site has besides the pages of docs/: README, reference, notebooks, and the files that pages link to.

Links are written for a checkout, so that they work in an editor and on a repository's pages; here they are turned to
the site's own copy of what they name. mkdocs, which is strict, then stops at those that lead nowhere.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / 'docs'
TOP = {'README.md': 'index.md', 'CONTRIBUTING.md': 'contributing.md', 'CHANGELOG.md': 'changelog.md'}
LANGUAGES = {'.py': 'python', '.yml': 'yaml', '.toml': 'toml', '.sh': 'bash', '.json': 'json'}
LINK = re.compile(r'(?<=\]\()([^)\s#]+)(?=[)#])')
UNSEARCHED = '---\nsearch:\n  exclude: true\n---\n'


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here, then every file of the project that any page links to."""
    for name, uri in TOP.items():
        files.append(File.generated(config, uri, content=(ROOT / name).read_text()))
    for path in sorted(DOCS.rglob('*.ipynb')):
        files.append(File.generated(config, address(path), content=notebook(path)))
    for uri, content in reference().items():
        files.append(File.generated(config, uri, content=content))
    pages = list(files.documentation_pages())
    for page in pages:  # grows while it is read: a folder's page links to its files
        for target in targets(page.src_uri, page.content_string):
            if (uri := address(target)) in files.src_uris:
                continue
            if is_text(target):
                file = File.generated(config, uri, content=listing(target))
                pages.append(file)
            else:
                file = File.generated(config, uri, abs_src_path=str(target))
            files.append(file)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to files of the project into links to their pages here; a page in no section needs no menu of one."""
    uri = page.file.src_uri
    if page.parent is None:
        page.meta['hide'] = ['navigation']

    def turn(link: re.Match) -> str:
        target = resolve(uri, link[1])
        return link[1] if target is None else posixpath.relpath(address(target), posixpath.dirname(uri))

    return LINK.sub(turn, markdown)


def targets(uri: str, markdown: str) -> Iterator[Path]:
    """Yield the files and folders of the project that a page links to."""
    for link in LINK.finditer(markdown):
        if target := resolve(uri, link[1]):
            yield target


def resolve(uri: str, link: str) -> Path | None:
    """Return the file or folder that a link on a page means; None if it is an address elsewhere, or dead."""
    target = (origin(uri).parent / link).resolve()
    return target if target.is_relative_to(ROOT) and target.exists() else None


def origin(uri: str) -> Path:
    """Return the file that a page was made of."""
    for name, top in TOP.items():
        if uri == top:
            return ROOT / name
    if uri.startswith('source/'):
        return ROOT / uri.removeprefix('source/').removesuffix('.md')
    return DOCS / uri


def address(path: Path) -> str:
    """Return the name that a file or folder of the project has among the site's sources."""
    name = path.relative_to(ROOT).as_posix()
    if name in TOP:
        return TOP[name]
    if path.suffix == '.ipynb':
        return path.relative_to(DOCS).with_suffix('.md').as_posix()
    if path.is_file() and path.is_relative_to(DOCS) and path.suffix != '.py':
        return path.relative_to(DOCS).as_posix()
    if path.is_dir():
        return f'source/{name}/index.md'
    return f'source/{name}.md' if is_text(path) else f'source/{name}'


def is_text(path: Path) -> bool:
    """Say whether a file is shown as a page, as folders are, and not given to load down."""
    return path.is_dir() or path.suffix in {*LANGUAGES, '.txt', '.cfg', '.in', ''}


def listing(path: Path) -> str:
    """Return the page of a file, or of a folder."""
    title = f'{UNSEARCHED}# {path.relative_to(ROOT)}\n\n'
    if path.is_dir():
        inside = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(('.', '__')))
        return title + ''.join(f'- [{entry.name}]({entry.name})\n' for entry in inside)
    return f'{title}~~~~~{LANGUAGES.get(path.suffix, "")}\n{path.read_text()}~~~~~\n'


def notebook(path: Path) -> str:
    """Return a notebook as a page: its prose, and its cells as code."""
    cells = json.loads(path.read_text())['cells']
    shown = [''.join(cell['source']) for cell in cells]
    code = [cell['cell_type'] == 'code' for cell in cells]
    parts = [f'```python\n{text}\n```' if is_code else text for text, is_code in zip(shown, code, strict=True)]
    return '\n\n'.join(parts) + '\n'


def reference() -> dict[str, str]:
    """Return a page for every package and one for the files beside them: mkdocs demands that its contents name each."""
    package = ROOT / 'mobilenext_det'
    pages = {}
    for folder in (package, *sorted(file.parent for file in package.glob('*/__init__.py'))):
        name = '.'.join(folder.relative_to(ROOT).parts)
        modules = sorted(file.stem for file in folder.glob('*.py') if not file.stem.startswith('_'))
        blocks = [f'::: {name}\n    options:\n      members: false\n      heading_level: 1\n']
        blocks += [f'::: {name}.{module}\n' for module in modules]
        pages[f'reference/{folder.name}.md'] = '\n'.join(blocks)
    return pages
