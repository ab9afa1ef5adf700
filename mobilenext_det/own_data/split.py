"""Which images train, and which judge."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from mobilenext_det.errors import BadDataError

from .labels import LabelledImage


def split(images: Sequence[LabelledImage], share: float = 0.2, seed: int = 0) -> dict[str, list[LabelledImage]]:
    """Divide images into parts.

    What the source says counts: its test images never train, its validation images validate. Where it names no
    validation images, a share of the others becomes them, in which every class has that share of its objects as nearly
    as whole images allow: iterative stratification (Sechidis, Tsoumakas and Vlahavas, ECML PKDD 2011), rare classes
    first.

    Args:
        images: All images.
        share: Share of the validation images.
        seed: The same seed makes the same parts.

    Returns:
        'train', 'val' and, if the source names one, 'test'; in the order of the images.

    Raises:
        BadDataError: If there are not two images with objects to train on and to validate on.
    """
    parts: dict[str, list[LabelledImage]] = {part: [i for i in images if i.part == part] for part in ('val', 'test')}
    rest = [image for image in images if image.part not in ('val', 'test')]
    if not parts['val']:
        chosen = _stratified(rest, share, random.Random(seed))
        parts['val'] = [image for index, image in enumerate(rest) if index in chosen]
        rest = [image for index, image in enumerate(rest) if index not in chosen]
    for part, its_images in (('train on', rest), ('validate on', parts['val'])):
        if not any(map(_is_labelled, its_images)):
            raise BadDataError(
                f'{len(images)} images are usable ({len(rest)} to train on, {len(parts["val"])} to validate on, '
                f'{len(parts["test"])} to test on), and none with an object is left to {part}: label two images or '
                'more, or put some into another part.'
            )
    return {'train': rest, **{part: its_images for part, its_images in parts.items() if its_images}}


def _is_labelled(image: LabelledImage) -> bool:
    return any(not each.difficult for each in image.objects)


def _stratified(images: Sequence[LabelledImage], share: float, draw: random.Random) -> set[int]:
    """Return the places of the images that validate."""
    # Images of the background are a class of their own.
    counts = [Counter([each.name for each in image.objects] or ['']) for image in images]
    with_class: dict[str, list[int]] = defaultdict(list)
    for index, count in enumerate(counts):
        for name in count:
            with_class[name].append(index)
    chosen: set[int] = set()
    decided: set[int] = set()
    validated: Counter[str] = Counter()
    for name, places in sorted(with_class.items(), key=lambda item: (len(item[1]), item[0])):
        total = sum(counts[index][name] for index in places)
        open_places = [index for index in places if index not in decided]
        draw.shuffle(open_places)
        for index in open_places:
            # Whichever is nearer to what is wanted: with the image, or without.
            if share * total - validated[name] >= counts[index][name] / 2:
                chosen.add(index)
                validated.update(counts[index])
            decided.add(index)
    return _never_all_or_none(chosen, images)


def _never_all_or_none(chosen: set[int], images: Sequence[LabelledImage]) -> set[int]:
    """Move one image, if otherwise none with an object would validate, or none train."""
    labelled = [index for index, image in enumerate(images) if _is_labelled(image)]
    if labelled and not chosen & set(labelled):
        return chosen | {labelled[-1]}
    if labelled and chosen >= set(labelled):
        return chosen - {labelled[0]}
    return chosen
