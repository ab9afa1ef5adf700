import json

import cv2

from mobilenext_det.peers.curves import draw_curves, learning_curve


def write_log(folder, *rows):
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(''.join(f'{json.dumps(row)}\n' for row in rows))


def test_a_validation_is_a_share_of_the_training_and_what_was_not_detected_has_no_point(tmp_path):
    training = {'loss': 1.0, 'step': 9}
    write_log(tmp_path / 'theirs' / '1' / 'vis_data', training, {'coco/bbox_mAP_50': 0.25, 'step': 3})
    assert learning_curve(tmp_path / 'theirs', 4) == [(0.75, 0.25)]
    scores = [{'voc/mAP_area': value, 'step': step} for step, value in ((10, 0.5), (20, 0.6))]
    write_log(tmp_path / 'ours' / '1' / 'vis_data', training, *scores)
    assert learning_curve(tmp_path / 'ours', 20) == [(0.5, 0.5), (1, 0.6)]


def test_all_runs_are_drawn(tmp_path):
    def ink(curves):
        draw_curves(curves, 20, tmp_path / 'curves.png')
        return (cv2.imread(str(tmp_path / 'curves.png'), cv2.IMREAD_UNCHANGED)[..., 3] > 128).sum()

    line = [(0.5, 0.2), (1.0, 0.4)]
    assert ink({'one': [[]]}) < ink({'one': [line]}) < ink({'one': [line, [(0.5, 0.7), (1.0, 0.9)]]})
