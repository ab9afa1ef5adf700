"""The notebook runs from its first cell to its last, on less data than a reader takes."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / 'docs' / 'notebooks' / 'from_clone_to_export.ipynb'


@pytest.fixture(scope='module')
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_stored_without_outputs(notebook):
    for cell in notebook.cells:
        assert not cell.get('outputs') and not cell.get('execution_count')


def test_it_runs(notebook, tmp_path):
    (parameters,) = (cell for cell in notebook.cells if 'parameters' in cell.metadata.get('tags', []))
    parameters.source = f"scenes, iterations, work = 48, 2, Path('{tmp_path}')"
    NotebookClient(notebook, kernel_name='python3', resources={'metadata': {'path': NOTEBOOK.parent}}).execute()

    outputs = [output for cell in notebook.cells for output in cell.get('outputs', [])]
    assert not [output for output in outputs if output.output_type == 'error']
    assert (tmp_path / 'train' / 'iter_2.pth').is_file()
    assert (tmp_path / 'report' / 'index.html').is_file()
    assert [output for output in outputs if 'image/jpeg' in output.get('data', {})]
    *_, detections = (cell for cell in notebook.cells if cell.cell_type == 'code')
    assert "{'class': " in detections.outputs[0].text
