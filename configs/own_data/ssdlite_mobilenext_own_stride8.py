"""ssdlite_mobilenext_own.py with a level at stride 8 before the others, for objects of less than 30 pixels."""

_base_ = './ssdlite_mobilenext_own.py'

strides = (8, 16, 32, 64, 107, 160, 320)
min_sizes = (22, 45, 90, 135, 180, 225, 270)
max_sizes = (45, 120, 180, 220, 260, 300, 320)
ratios = ((2, 3),) * 7

model = dict(
    backbone=dict(out_indices=(3, 5, 7, 7), taps=('expansion', 'expansion', 'expansion', 'block')),
    neck=dict(passed=3),
    bbox_head=dict(anchor_generator=dict(strides=strides, min_sizes=min_sizes, max_sizes=max_sizes, ratios=ratios)),
)
