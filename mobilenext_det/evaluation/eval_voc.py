"""Detections in devkit files, evaluated: what tools/eval_voc.py calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .devkit_files import read_detections
from .errors import break_down
from .records import EvaluationSet
from .summary import Difficult, Evaluated, summarise
from .tables import error_table, results_text
from .voc_files import read_ground_truth


def eval_voc(
    voc_root: str,
    split: str,
    folders: Sequence[str],
    *,
    modes: Sequence[str] = ('11points', 'area'),
    classes: Sequence[str] | None = None,
    iou_threshold: float = 0.5,
    difficult: Difficult = 'ignore',
    coco: bool = False,
    report_dir: str | None = None,
    as_json: bool = False,
) -> None:
    """Evaluate the detections in one or two folders and print what came out.

    Args:
        voc_root: Folder that holds Annotations/ and ImageSets/.
        split: Name of the split.
        folders: Folders with devkit files.
        modes: Average precisions to print.
        classes: Names to evaluate; by default VOC's twenty, or all that occur.
        iou_threshold: Overlap that a true positive reaches.
        difficult: 'ignore' or 'count'.
        coco: Whether COCO's average precisions are computed too.
        report_dir: Folder for the report.
        as_json: Whether the last line is all numbers as JSON.

    Raises:
        BadDataError: Annotations or detections cannot be evaluated.
    """
    truth = read_ground_truth(voc_root, split, classes)
    if truth.left_out and classes:
        print(f'Not evaluated, because they are not among --classes: {", ".join(truth.left_out)}.')
    sets = []
    for folder, name in zip(folders, _names(folders), strict=True):
        detections, missing = read_detections(folder, split, truth.classes, truth.image_ids, truth.left_out)
        if missing:
            print(f'{folder} has no file for {", ".join(missing)}: counted as nothing detected.')
        data = EvaluationSet(
            truth.classes, truth.image_ids, truth.image_paths, truth.objects, detections, problems=truth.problems
        )
        sets.append(Evaluated(name, data, summarise(data, iou_threshold, difficult, coco)))
    names, breakdowns = [each.name for each in sets], [break_down(each.data, each.summary) for each in sets]

    for name, _, summary in sets:
        print(f'\n{name}\n{results_text(summary, modes)}')
    print(f'\nErrors\n{error_table(names, breakdowns).markdown()}')
    if report_dir:
        from .report import write_report  # matplotlib is for those who want pictures

        title = f'VOC evaluation of {" and ".join(names)}'
        print(f'The report is {write_report(report_dir, sets, title)}.')
    if as_json:
        results = [
            each.summary.as_dict() | {'errors': breakdown.as_dict()}
            for each, breakdown in zip(sets, breakdowns, strict=True)
        ]
        print(json.dumps(results[0] | ({'compared_with': results[1]} if len(results) > 1 else {})))


def _names(folders: Sequence[str]) -> list[str]:
    """The folders' own names where these differ, else their paths."""
    names = [Path(folder).resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]
