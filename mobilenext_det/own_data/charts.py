"""The pictures of the page about the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from mobilenext_det.datasets.image_check import read_image
from mobilenext_det.display.palette import colour_of
from mobilenext_det.display.style import INK, STYLE
from mobilenext_det.evaluation.gallery import Picture, contact_sheet
from mobilenext_det.models.priors import SSDLitePriorGenerator

from .labels import LabelledImage
from .plan import Plan

SHOWN = 12  # thumbnails
NAMED = 8  # classes in the legend: as many as have a colour of their own


def sizes_against_priors(images: Sequence[LabelledImage], classes: Sequence[str], plan: Plan) -> Figure:
    """Width and height of every object at the network's input, by class, and those of the priors.

    Args:
        images: The images that are trained on.
        classes: The classes.
        plan: The priors.
    """
    generator = SSDLitePriorGenerator(plan.input_size, **plan.priors.settings())
    priors = np.concatenate([level.numpy() for level in generator.base_anchors])
    with rc_context(STYLE):
        figure = Figure(figsize=(7, 5), layout='constrained')
        axes = figure.subplots()
        legend = []
        for index, name in enumerate(classes):
            shapes = [
                ((x2 - x1) / image.size[0] * plan.input_size, (y2 - y1) / image.size[1] * plan.input_size)
                for image in images
                for each in image.objects
                if each.name == name
                for x1, y1, x2, y2 in [each.box]
            ]
            widths, heights = np.reshape(shapes, (-1, 2)).T
            legend.append(axes.scatter(widths, heights, s=5, alpha=0.4, color=colour_of(index)))
        sides = priors[:, 2:] - priors[:, :2]
        marks = axes.scatter(sides[:, 0], sides[:, 1], marker='+', s=70, linewidth=1.2, color=INK)
        axes.set(xscale='log', yscale='log', xlabel='width in pixels of the input', ylabel='height')
        ticks = [size for size in (4, 8, 16, 32, 64, 128, 256, 512) if size <= plan.input_size]
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(ticks, list(map(str, ticks)))
            axis.set_minor_locator(NullLocator())
        axes.legend([*legend[:NAMED], marks], [*classes[:NAMED], 'priors'], markerscale=2)
    return figure


def thumbnails(images: Sequence[LabelledImage]) -> Figure:
    """Images with the boxes that were read: spread over the set, those with objects.

    Args:
        images: The images.
    """
    labelled = [image for image in images if image.objects]
    places = np.unique(np.linspace(0, len(labelled) - 1, SHOWN).round().astype(int))
    pictures = []
    for image in (labelled[place] for place in places):
        counted = {each.name: sum(other.name == each.name for other in image.objects) for each in image.objects}
        caption = ', '.join(f'{count} {name}' for name, count in counted.items())
        boxes = np.array([each.box for each in image.objects])
        pictures.append(Picture(read_image(str(image.path)), f'{image.path.name}\n{caption[:60]}', boxes[:0], boxes))
    return contact_sheet(pictures)
