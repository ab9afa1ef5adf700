"""Evaluate the detections of any detector by the VOC rules: no model and no config are needed.

    python tools/eval_voc.py --voc-root data/VOCdevkit/VOC2007 --split test --detections results --out report

The detections are the devkit's files, comp4_det_<split>_<class>.txt with lines 'image score xmin ymin xmax ymax'.
"""

from __future__ import annotations

import argparse
import sys

from mobilenext import exit_code


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Evaluate detections in devkit files by the VOC rules.')
    parser.add_argument('--voc-root', required=True, help='folder that holds Annotations/ and ImageSets/')
    parser.add_argument('--split', default='test', help='file in ImageSets/Main/ without .txt (default: test)')
    parser.add_argument('--detections', required=True, help='folder with comp4_det_<split>_<class>.txt')
    parser.add_argument('--compare', metavar='DIR', help='a second such folder, to be shown side by side')
    parser.add_argument(
        '--mode', choices=('11points', 'area', 'both'), default='both', help='average precision in the printed table'
    )
    parser.add_argument('--classes', nargs='+', help="names to evaluate (default: VOC's twenty, or all that occur)")
    parser.add_argument('--iou', type=float, default=0.5, help='overlap that a true positive reaches (default: 0.5)')
    parser.add_argument('--count-difficult', action='store_true', help='let difficult objects count like all others')
    parser.add_argument('--coco', action='store_true', help='AP at .5:.95 and by size as well, which takes longer')
    parser.add_argument('--out', metavar='DIR', help='write the report, an HTML page with pictures, into this folder')
    parser.add_argument('--json', action='store_true', help='print all numbers as one JSON object in the last line')
    return parser.parse_args()


def main() -> int:
    """Evaluate one or two folders of detections, or say in one sentence what is wrong with them."""
    args = parse_args()
    from mobilenext_det.evaluation.eval_voc import eval_voc

    eval_voc(
        args.voc_root,
        args.split,
        [args.detections, *([args.compare] if args.compare else [])],
        modes=('11points', 'area') if args.mode == 'both' else (args.mode,),
        classes=args.classes,
        iou_threshold=args.iou,
        difficult='count' if args.count_difficult else 'ignore',
        coco=args.coco,
        report_dir=args.out,
        as_json=args.json,
    )
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
