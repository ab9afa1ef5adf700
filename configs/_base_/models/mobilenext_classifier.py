# MobileNeXt as a classifier of 1000 classes: 3535416 parameters, 311342592 multiply-adds at 224 pixels.

conv_cfg = dict(type='AutocastConv2d')
model = dict(
    type='ImageClassifier',
    # What the detectors' images are normalised by, so that a backbone meets the same numbers there.
    data_preprocessor=dict(
        type='ImgDataPreprocessor', mean=[123, 117, 104], std=[58.395, 57.12, 57.375], non_blocking=True
    ),
    backbone=dict(type='MobileNeXt', out_indices=(7,), conv_cfg=conv_cfg),
    num_classes=1000,
)
