"""A VOC-style set with its own three classes: blood cells (BCCD, 364 images, MIT licence), as an example to copy.

python tools/train.py configs/ssdlite_mobilenext_bccd.py --data-root data/bccd
"""

_base_ = './ssdlite_mobilenext_voc.py'

own = dict(data_prefix=dict(sub_data_root=''), metainfo=dict(classes=('RBC', 'WBC', 'Platelets')))
train_dataloader = dict(dataset=dict(ann_file='ImageSets/Main/trainval.txt', **own))
val_dataloader = dict(dataset=dict(ann_file='ImageSets/Main/test.txt', **own))
test_dataloader = val_dataloader
model = dict(bbox_head=dict(num_classes=3))
