"""Links between pages lead somewhere: in a checkout, file for file, and on the site."""

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r'^```.*?^```', re.MULTILINE | re.DOTALL)
LINK = re.compile(r'\]\(([^)\s]+)\)')
HEADING = re.compile(r'^#+ +(.+)$', re.MULTILINE)


def anchors(markdown: str) -> set[str]:
    """Return the anchors of a page's headings, as repositories' pages make them."""
    headings = (re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', text) for text in HEADING.findall(FENCE.sub('', markdown)))
    return {re.sub(r'[^\w\- ]', '', text.lower()).strip().replace(' ', '-') for text in headings}


def test_every_link_in_a_checkout_leads_to_a_file_and_its_heading(pages):
    dead, checked = [], 0
    for page, text in pages.items():
        for link in LINK.findall(FENCE.sub('', text)):
            address, _, anchor = link.partition('#')
            if '://' in address:
                continue
            checked += 1
            target = page.parent / address if address else page
            if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
                dead.append(f'{page.relative_to(ROOT)}: {link}')
    assert not dead
    assert checked > 200


@pytest.fixture(scope='module')
def site(tmp_path_factory) -> Path:
    """Return the built site; building is strict: it raises at a dead link or a page that no menu names."""
    folder = tmp_path_factory.mktemp('site')
    build(load_config(str(ROOT / 'mkdocs.yml'), site_dir=str(folder)))
    return folder


def test_the_site_has_what_is_not_written_in_docs(site):
    assert 'MobileNeXt + SSDLite for MMDetection' in (site / 'index.html').read_text()
    assert 'identity_multiplier' in (site / 'reference' / 'models.html').read_text()
    assert 'tools/train.py' in (site / 'notebooks' / 'from_clone_to_export.html').read_text()
    assert (site / 'source' / 'configs' / 'ssdlite_mobilenext_bccd.py.html').is_file()


def test_a_reader_s_browser_fetches_nothing_from_elsewhere(site):
    for page in site.rglob('*.html'):
        for tag in re.findall(r'<(?:script|link|img|iframe)\b[^>]*>', page.read_text()):
            assert not re.search(r'(?:src|href)="?(?:https?:)?//', tag), f'{page}: {tag}'


def test_a_dead_link_stops_the_build(tmp_path, caplog):
    (tmp_path / 'docs').mkdir()
    (tmp_path / 'docs' / 'index.md').write_text('[gone](gone.md)\n')
    (tmp_path / 'mkdocs.yml').write_text(f'INHERIT: {ROOT}/mkdocs.yml\nnav: [index.md]\nhooks: []\n')
    config = load_config(str(tmp_path / 'mkdocs.yml'), site_dir=str(tmp_path / 'site'))
    with pytest.raises(Abort, match='1 warnings in strict mode'):
        build(config)
    assert "contains a link 'gone.md'" in caplog.text
