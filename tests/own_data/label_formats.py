"""A few images with known objects, written in each format that label tools write."""

import json
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from PIL import Image

CLASSES = ('dog', 'kö ter & <b>')
# Of each image: width, height, and its objects as (class, x1, y1, x2, y2), edges in pixels.
IMAGES = {
    'a': (100, 80, [('dog', 10, 20, 40, 60), ('kö ter & <b>', 0, 0, 100, 80)]),
    'b.c': (64, 96, [('kö ter & <b>', 3, 5, 60, 50)]),
    'naïve 3': (50, 50, []),
    'd': (120, 60, [('dog', 60, 10, 120, 60), ('dog', 1, 1, 30, 20)]),
}


def save_images(folder, names=IMAGES):
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        width, height, _ = IMAGES[name]
        noise = np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
        Image.fromarray(noise).save(folder / f'{name}.jpg')


def voc(folder):
    save_images(folder)
    for name, (width, height, objects) in IMAGES.items():
        nodes = ''.join(
            f'<object><name>{escape(label)}</name><difficult>0</difficult><bndbox><xmin>{x1 + 1}</xmin>'
            f'<ymin>{y1 + 1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>'
            for label, x1, y1, x2, y2 in objects
        )
        size = f'<size><width>{width}</width><height>{height}</height><depth>3</depth></size>'
        text = f'<annotation><filename>{name}.jpg</filename>{size}{nodes}</annotation>'
        (folder / f'{name}.xml').write_text(text, encoding='utf-8')


def coco(folder):
    save_images(folder / 'images')
    content = dict(images=[], annotations=[], categories=[dict(id=7 + i, name=n) for i, n in enumerate(CLASSES)])
    for number, (name, (width, height, objects)) in enumerate(IMAGES.items()):
        content['images'].append(dict(id=number, file_name=f'{name}.jpg', width=width, height=height))
        for label, x1, y1, x2, y2 in objects:
            content['annotations'].append(
                dict(
                    id=len(content['annotations']),
                    image_id=number,
                    category_id=7 + CLASSES.index(label),
                    bbox=[x1, y1, x2 - x1, y2 - y1],
                    area=(x2 - x1) * (y2 - y1),
                    iscrowd=0,
                )
            )
    (folder / 'labels.json').write_text(json.dumps(content), encoding='utf-8')


def yolo(folder):
    save_images(folder / 'images')
    (folder / 'labels').mkdir()
    for name, (width, height, objects) in IMAGES.items():
        lines = [
            f'{CLASSES.index(label)} {(x1 + x2) / 2 / width:.8f} {(y1 + y2) / 2 / height:.8f} '
            f'{(x2 - x1) / width:.8f} {(y2 - y1) / height:.8f}'
            for label, x1, y1, x2, y2 in objects
        ]
        (folder / 'labels' / f'{name}.txt').write_text('\n'.join(lines))
    (folder / 'data.yaml').write_text(f'names: {json.dumps(CLASSES)}\nnc: 2\n', encoding='utf-8')


def labelme(folder):
    save_images(folder)
    for name, (width, height, objects) in IMAGES.items():
        shapes = [
            dict(label=label, shape_type='rectangle', points=[[x1, y1], [x2, y2]]) for label, x1, y1, x2, y2 in objects
        ]
        content = dict(imagePath=f'{name}.jpg', imageWidth=width, imageHeight=height, shapes=shapes, imageData=None)
        (folder / f'{name}.json').write_text(json.dumps(content), encoding='utf-8')


def cvat(folder):
    save_images(folder / 'images')
    nodes = ''
    for number, (name, (width, height, objects)) in enumerate(IMAGES.items()):
        boxes = ''.join(
            f'<box label={quoteattr(label)} xtl="{x1}" ytl="{y1}" xbr="{x2}" ybr="{y2}" occluded="0"/>'
            for label, x1, y1, x2, y2 in objects
        )
        nodes += f'<image id="{number}" name="{name}.jpg" width="{width}" height="{height}">{boxes}</image>'
    text = f'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>{nodes}</annotations>'
    (folder / 'annotations.xml').write_text(text, encoding='utf-8')


WRITERS = dict(voc=voc, coco=coco, yolo=yolo, labelme=labelme, cvat=cvat)


def read_by_globox(form: str, folder: Path):
    """What another library reads from the same files: {stem of the image: {(class, x1, y1, x2, y2)}}."""
    from globox import AnnotationSet

    images = folder / 'images'
    if form == 'voc':
        read = AnnotationSet.from_pascal_voc(folder)
    elif form == 'coco':
        read = AnnotationSet.from_coco(folder / 'labels.json')
    elif form == 'yolo':
        read = AnnotationSet.from_yolo_v5(folder / 'labels', image_folder=images)
        read = read.map_labels({str(i): name for i, name in enumerate(CLASSES)})
    elif form == 'labelme':
        read = AnnotationSet.from_labelme(folder)
    else:
        read = AnnotationSet.from_cvat(folder / 'annotations.xml')
    return {
        Path(each.image_id).stem: sorted(
            (b.label, *(round(v) for v in (b.xmin, b.ymin, b.xmax, b.ymax))) for b in each.boxes
        )
        for each in read
    }
