"""Synthetic scenes: emblems of the 20 VOC classes among clutter, each with the box of what is seen of it.

Position, size and colours of an object do not depend on its class, so that only silhouette and texture tell it. The
constants are the knobs that say how hard the scenes are; lengths are in pixels of the finished image.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .toy_shapes import EMBLEMS, draw_clutter, draw_emblem

CLASSES = tuple(EMBLEMS)
SPLITS = ('trainval', 'test')

OBJECT_COUNTS = {1: 0.05, 2: 0.2, 3: 0.3, 4: 0.22, 5: 0.13, 6: 0.1}  # objects a scene: how often
SHORT_SIDES = (0.66, 0.75, 0.75, 0.85, 1.0)  # short side of an image over its long side
PORTRAIT = 0.3  # share of images that stand upright
SMALL = 32  # a box is small when the square root of its area is less than this
SMALL_SHARE = 0.25  # share of small boxes
SMALLEST = 15  # square root of the area of the smallest box
LARGE_SHARE = 0.5  # share of large boxes
MIDDLE = 0.4  # square root of the area of the smallest large box, over that of the image
LARGEST = 1.0  # the same for the largest, over that of the image
MAX_ASPECT = 1.5  # longest side of a box over its shortest
OVERHANG = 0.15  # how much of its width and height a box may stick out of the image
PLACE_TRIES = 8  # places tried for a box; the one that covers least of the others is taken
SHUFFLED = 0.1  # share of scenes in which large objects may hide smaller ones
BACKGROUND_LAYERS = (2, 0.5), (5, 0.4), (24, 0.1)  # patches along a side of the background, and their weight
BACKGROUND_WAVE = 10  # most grey levels by which the stripes of the background differ from it
MAX_WAVE = 0.8  # their frequency, in radians per pixel along either side
CLUTTER_BEHIND = 1  # most clutter shapes behind the objects
CLUTTER_BEFORE = 1  # most clutter shapes drawn over them
CLUTTER_SIZES = (10, 70)  # sides of clutter shapes
MAX_SHADE = 0.2  # how much brighter or darker than its middle an edge of a shape may be
EDGE = 0.3  # a pixel belongs to a shape that covers more than this share of it
CONTRAST = 40  # an object's colours are at least so much darker, and brighter, than what is behind it, in grey levels
BRIGHTNESS = np.array((0.114, 0.587, 0.299))  # of a BGR colour
FAINT_SHARE = 0.05  # share of objects with a quarter of that contrast
BLURRED = 0.1  # share of images out of focus
MAX_BLUR = 1.2  # sigma
MAX_NOISE = 5  # standard deviation in grey levels
DIFFICULT_BELOW = 0.5  # an object of which less than this share is seen is difficult
UNSEEN_BELOW = 0.2  # and of which less than this share is seen is not annotated
MIN_SIDE = 5  # nor is one whose seen part is narrower than this
TRUNCATED_BELOW = 0.85  # truncated: the seen part's box is less than this share of the whole object's box


@dataclass(frozen=True)
class SceneObject:
    """What VOC says about one object; box (xmin, ymin, xmax, ymax) in pixels counted from 1, its corners inside it."""

    name: str
    box: tuple[int, int, int, int]
    truncated: bool
    difficult: bool


def _class_of(seed: int, split: int, index: int, slot: int) -> str:
    """Deal classes so that any 20 scenes in line show each class once in a slot: no class is rare in any split."""
    deal = np.random.default_rng((seed, split, slot, index // len(CLASSES))).permutation(len(CLASSES))
    return CLASSES[deal[index % len(CLASSES)]]


def _background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    scene = np.zeros((height, width, 3), np.float32)
    for cells, weight in BACKGROUND_LAYERS:
        coarse = rng.uniform(0, 255, (cells, cells, 3)).astype(np.float32)
        scene += weight * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    depth = cv2.resize(rng.uniform(-1, 1, (4, 4, 3)).astype(np.float32), (width, height))
    slope, phase = rng.uniform(-MAX_WAVE, MAX_WAVE, 2).astype(np.float32), np.float32(rng.uniform(0, 2 * np.pi))
    wave = np.sin(
        slope[0] * np.arange(height, dtype=np.float32)[:, None] + slope[1] * np.arange(width, dtype=np.float32) + phase
    )
    return scene + BACKGROUND_WAVE * depth * wave[..., None]


def _box_size(rng: np.random.Generator, width: int, height: int) -> tuple[int, int]:
    whole = np.sqrt(width * height)
    bands = ((SMALLEST, SMALL), (SMALL, MIDDLE * whole), (MIDDLE * whole, LARGEST * whole))
    low, high = bands[rng.choice(3, p=(SMALL_SHARE, 1 - SMALL_SHARE - LARGE_SHARE, LARGE_SHARE))]
    side = np.exp(rng.uniform(np.log(low), np.log(high)))
    stretch = MAX_ASPECT ** rng.uniform(-0.5, 0.5)
    return min(round(side * stretch), width), min(round(side / stretch), height)


def _place(rng: np.random.Generator, size: tuple[int, int], taken: np.ndarray) -> tuple[int, int]:
    """Left and top edge of the place, of a few, where a box covers least of what is taken."""
    (width, height), (rows, columns) = size, taken.shape

    def covered(place: tuple[int, int]) -> int:
        left, top = place
        return np.count_nonzero(taken[max(top, 0) : top + height, max(left, 0) : left + width])

    over = OVERHANG * np.array(size)
    low, high = -over, np.array((columns, rows)) - size + over
    edges = [np.round(rng.uniform(low, high)) for _ in range(PLACE_TRIES)]
    return min(((int(left), int(top)) for left, top in edges), key=covered)


def _colour(rng: np.random.Generator, darkest: float, brightest: float) -> np.ndarray:
    """A random colour of a brightness between the two: float64 (3,)."""
    while True:
        colour = rng.uniform(0, 255, 3)
        if darkest <= colour @ BRIGHTNESS <= brightest:
            return colour


def _colours(rng: np.random.Generator, behind: np.ndarray) -> np.ndarray:
    """Two random colours, one darker and one brighter than what is behind: float32 (2, 3)."""
    level = behind.reshape(-1, 3).mean(0) @ BRIGHTNESS
    faint = rng.random() < FAINT_SHARE
    contrast = CONTRAST / 4 if faint else CONTRAST
    dark, bright = max(level - contrast, CONTRAST), min(level + contrast, 255 - CONTRAST)
    first = _colour(rng, dark - contrast if faint else 0, dark)
    second = _colour(rng, bright, bright + contrast if faint else 255)
    return np.stack((first, second)).astype(np.float32)


def _paint(
    rng: np.random.Generator, scene: np.ndarray, planes: np.ndarray, left: int, top: int
) -> tuple[slice, slice, np.ndarray]:
    """Paint a shape into the scene, shaded, in random colours; returns where, and which pixels there it covers."""
    rows, columns = scene.shape[:2]
    height, width = planes.shape[:2]
    across, down = slice(max(left, 0), min(left + width, columns)), slice(max(top, 0), min(top + height, rows))
    planes = planes[down.start - top : down.stop - top, across.start - left : across.stop - left]
    region = scene[down, across]
    first, second = _colours(rng, region)
    slope = rng.uniform(-MAX_SHADE, MAX_SHADE, 2).astype(np.float32)
    ramp = np.linspace(-1, 1, region.shape[0], dtype=np.float32)[:, None] * slope[0]
    shade = 1 + ramp + np.linspace(-1, 1, region.shape[1], dtype=np.float32) * slope[1]
    cover, tone = planes[..., :1], planes[..., 1:]
    region += cover * ((first + tone * (second - first)) * shade[..., None] - region)
    return down, across, planes[..., 0] > EDGE


def _clutter(rng: np.random.Generator, scene: np.ndarray) -> tuple[slice, slice, np.ndarray]:
    size = rng.integers(CLUTTER_SIZES[0], CLUTTER_SIZES[1], 2)
    left, top = (int(v) for v in rng.integers(-size // 2, np.array(scene.shape[1::-1]) - size // 2))
    return _paint(rng, scene, draw_clutter(rng, *size), left, top)


def _photograph(rng: np.random.Generator, scene: np.ndarray) -> np.ndarray:
    """Blur some scenes, add noise, round to bytes."""
    if rng.random() < BLURRED:
        scene = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.3, MAX_BLUR))
    noise = rng.standard_normal(scene.shape[:2], np.float32)[..., None] * np.float32(rng.uniform(0, MAX_NOISE))
    return np.clip(np.rint(scene + noise), 0, 255).astype(np.uint8)


def _extent(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Box (xmin, ymin, xmax, ymax) of the true pixels, counted from 1, corners inside."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]) + 1, int(rows[0]) + 1, int(columns[-1]) + 1, int(rows[-1]) + 1


def _annotate(name: str, planes: np.ndarray, seen: np.ndarray) -> SceneObject | None:
    """Describe an object from all of it and the pixels of the image where it is seen; None if that is too little."""
    whole = planes[..., 0] > EDGE
    share = np.count_nonzero(seen) / np.count_nonzero(whole)
    if share < UNSEEN_BELOW:
        return None
    box = _extent(seen)
    width, height = box[2] - box[0] + 1, box[3] - box[1] + 1
    if min(width, height) < MIN_SIDE:
        return None
    return SceneObject(name, box, width * height < TRUNCATED_BELOW * whole.size, share < DIFFICULT_BELOW)


def _compose(rng: np.random.Generator, names: list[str], size: int) -> tuple[np.ndarray, list[SceneObject]]:
    """Draw a background, clutter, some objects with the first of these names, and clutter over them."""
    sides = size, round(size * rng.choice(SHORT_SIDES))
    width, height = sides[::-1] if rng.random() < PORTRAIT else sides
    scene = _background(rng, width, height)
    for _ in range(rng.integers(CLUTTER_BEHIND + 1)):
        _clutter(rng, scene)

    count = rng.choice(list(OBJECT_COUNTS), p=list(OBJECT_COUNTS.values()))
    sizes = [_box_size(rng, width, height) for _ in range(count)]
    if rng.random() >= SHUFFLED:
        sizes.sort(key=np.prod, reverse=True)
    taken, visible = np.zeros((height, width), bool), np.full((height, width), -1, np.int8)
    drawn = []
    for slot, (name, box_size) in enumerate(zip(names, sizes, strict=False)):
        left, top = _place(rng, box_size, taken)
        planes = draw_emblem(name, rng, *box_size)
        down, across, covered = _paint(rng, scene, planes, left, top)
        taken[down, across] = True
        visible[down, across][covered] = slot
        drawn.append((name, planes))
    for _ in range(rng.integers(CLUTTER_BEFORE + 1)):
        down, across, covered = _clutter(rng, scene)
        visible[down, across][covered] = -1

    objects = [_annotate(name, planes, visible == slot) for slot, (name, planes) in enumerate(drawn)]
    return scene, [item for item in objects if item]


def draw_scene(seed: int, split: str, index: int, size: int = 160) -> tuple[np.ndarray, list[SceneObject]]:
    """Draw one scene; the same arguments always give the same scene.

    Args:
        seed: Seed of the whole set.
        split: 'trainval' or 'test'.
        index: Number of the scene in its split, from 0.
        size: Long side of the image in pixels.

    Returns:
        The image, BGR uint8 (H, W, 3), and its annotated objects, at least one.
    """
    part = SPLITS.index(split)
    rng = np.random.default_rng((seed, part, index))
    objects: list[SceneObject] = []
    while not objects:
        scene, objects = _compose(rng, [_class_of(seed, part, index, slot) for slot in range(max(OBJECT_COUNTS))], size)
    return _photograph(rng, scene), objects
