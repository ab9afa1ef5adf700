import json

import cv2

from mobilenext_det.peers.curves import draw_curves, read_curve


def write_log(folder, *rows):
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(''.join(f'{json.dumps(row)}\n' for row in rows))


def test_the_last_training_counts_and_what_was_not_detected_has_no_point(tmp_path):
    write_log(tmp_path / '1' / 'vis_data', {'coco/bbox_mAP_50': 0.9, 'step': 1})
    write_log(tmp_path / '2' / 'vis_data', {'loss': 1, 'step': 9}, {'coco/bbox_mAP_50': 0.25, 'step': 3})
    assert read_curve(tmp_path, 4) == [(0.75, 0.25)]
    write_log(tmp_path / '3' / 'vis_data', {'voc/mAP_area': 0.5, 'step': 10}, {'voc/mAP_area': 0.6, 'step': 20})
    assert read_curve(tmp_path, 20) == [(0.5, 0.5), (1, 0.6)]


def test_all_runs_are_drawn(tmp_path):
    def ink(curves):
        draw_curves(curves, 20, tmp_path / 'curves.png')
        return (cv2.imread(str(tmp_path / 'curves.png'), cv2.IMREAD_UNCHANGED)[..., 3] > 128).sum()

    line = [(0.5, 0.2), (1.0, 0.4)]
    assert ink({'one': [[]]}) < ink({'one': [line]}) < ink({'one': [line, [(0.5, 0.7), (1.0, 0.9)]]})
