# SSDLite on MobileNeXt at 320 pixels, 20 classes: 3476308 parameters, 708726528 multiply-adds. Neck and head take their
# channels from the network before them.

# Fast under bfloat16 autocast on a CPU; `nn.Conv2d` in every other respect.
conv_cfg = dict(type='AutocastConv2d')
model = dict(
    type='SSDLite',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[123, 117, 104],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        non_blocking=True,  # a GPU goes on while images are copied to it; it normalises them itself
    ),
    backbone=dict(
        type='MobileNeXt', out_indices=(5, 7, 7), taps=('expansion', 'expansion', 'block'), conv_cfg=conv_cfg
    ),
    neck=dict(type='SSDLiteNeck', block='sandglass', conv_cfg=conv_cfg),
    bbox_head=dict(
        type='SSDLiteHead',
        num_classes=20,
        anchor_generator=dict(type='SSDLitePriorGenerator', input_size=320),
    ),
    train_cfg=dict(
        # IoU 0.5, and every object gets its best prior whatever the IoU.
        assigner=dict(type='BatchMaxIoUAssigner', iou_thr=0.5),
        smoothl1_beta=1.0,
        neg_pos_ratio=3,
    ),
    test_cfg=dict(score_thr=0.01, nms=dict(type='nms', iou_threshold=0.45), max_per_img=100),
)
