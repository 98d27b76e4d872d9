"""A photograph of flowers: how many, where, from where, before what; the same choices for every species."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tools.render.flowers import backgrounds
from tools.render.flowers.camera import SIZE, Camera, blurred, develop, halved, look_at, over
from tools.render.flowers.foliage import Kind, grass, leaves, plant
from tools.render.flowers.light import Light, Shadows, random_light, shade
from tools.render.flowers.raster import quads, rasterise
from tools.render.flowers.surfaces import Patches, direction

ANGLES = [(55, 90, ["ground", "ground", "backdrop"]),                   # degrees, from above
          (25, 55, ["ground", "ground", "foliage", "backdrop"]),
          (0, 25, ["foliage", "foliage", "field", "backdrop", "sky"]),
          (-25, 0, ["sky", "foliage"])]                                 # from below


@dataclass(frozen=True)
class View:
    """Where the camera stands and what is behind the flowers."""

    camera: Camera
    half_width: float       # of what is seen, in head radii
    place: str              # "ground", "backdrop", "foliage", "field" or "sky"
    ground: float           # its height below the first flower head, negative


def photograph(variety: Callable[[np.random.Generator], Kind], rng: np.random.Generator) -> Image.Image:
    """One picture of plants of one variety."""
    light = random_light(rng)
    count = int(rng.choice([1, 2, 3, 5, 9], p=[0.5, 0.15, 0.12, 0.13, 0.10]))
    kind = variety(rng)
    view = random_view(rng, count, -rng.uniform(*kind.height))
    near, far = flowers(kind, count, view, rng)
    surroundings = beside(view, rng)
    everything = quads([*near, *far, *surroundings])
    shadows = Shadows(everything, light, np.zeros(3), 1.5 * view.half_width + 2.5)
    focus = rng.uniform(0, 1)
    picture = behind(view, light, shadows, rng)
    for patches, blur in ((far, rng.uniform(0.5, 5)), ([*surroundings, *near], 0.0),
                          (before(view, rng), rng.uniform(2, 7))):
        if patches:
            picture = over(blurred(_layer(patches, view.camera, light, shadows), blur * focus), picture)
    return develop(picture, rng)


def random_view(rng: np.random.Generator, count: int, ground: float) -> View:
    """From above, obliquely, level or from below; close up or from a distance."""
    low, high, places = ANGLES[rng.choice(len(ANGLES), p=[0.25, 0.35, 0.3, 0.1])]
    elevation = np.deg2rad(rng.uniform(low, high))
    half_width = rng.uniform(1.05, 3.6) * (1 + 0.55 * np.sqrt(count - 1))
    target = np.array([*rng.normal(0, 0.18, 2) * half_width, rng.normal(-0.15, 0.15) * half_width])
    camera = look_at(target, elevation=elevation, distance=half_width * rng.uniform(3.5, 8),
                     half_width=half_width, roll=rng.normal(0, 0.12))
    return View(camera, half_width, str(rng.choice(places)), ground)


def flowers(kind: Kind, count: int, view: View,
            rng: np.random.Generator) -> tuple[list[Patches], list[Patches]]:
    """Plants in focus and plants behind the focus; the first stands in the middle."""
    near, far = [], []
    places = [np.zeros(3)]
    for _ in range(12 * count):
        spot = rng.uniform(-1, 1, 3) * [view.half_width, 1.3 * view.half_width, 0.3 + 0.25 * view.half_width]
        if len(places) < count and min(np.linalg.norm(spot - other) for other in places) > 1.7:
            places.append(spot)
    for spot in places:
        lean = np.deg2rad(rng.uniform(*kind.nod))
        azimuth = -np.pi / 2 + rng.normal(0, 1.1)           # heads turn to the camera more often than away
        size = rng.uniform(0.85, 1.1)
        cut = view.place not in ("ground", "field")
        height = (spot[2] - view.ground) / size + (0.8 * view.half_width if cut else 0)
        parts = plant(kind, direction(azimuth, np.pi / 2 - lean), height, rng, cut=cut)
        parts = [part.moved(by=spot, scale=size) for part in parts]
        (far if spot[1] > 0.45 * view.half_width else near).extend(parts)
    return near, far


def beside(view: View, rng: np.random.Generator) -> list[Patches]:
    """Grass and leaves of other plants around the stems."""
    parts = []
    if view.place in ("ground", "field", "foliage") and rng.random() < 0.6:
        count, length = int(rng.integers(60, 400)), rng.uniform(0.4, 1.0) * -view.ground
        parts.append(grass(rng, count, 2.2 * view.half_width, length, view.ground))
    if view.place in ("ground", "field") and rng.random() < 0.4:
        other = leaves(rng, 8, length=1.5, width=0.3, rise=(40, -10), widest=0.45, blunt=1.4)
        parts += [other.moved(by=np.array([*rng.normal(0, view.half_width, 2), view.ground]))
                  for _ in range(5)]
    return parts


def before(view: View, rng: np.random.Generator) -> list[Patches]:
    """Sometimes a few blades between the flowers and the camera."""
    if rng.random() > 0.45:
        return []
    blades = grass(rng, int(rng.integers(2, 7)), 0.8 * view.half_width, 2.5, -1.2)
    return [blades.moved(by=view.camera.eye * rng.uniform(0.15, 0.35))]


def behind(view: View, light: Light, shadows: Shadows, rng: np.random.Generator) -> np.ndarray:
    """The background, out of focus as far as it is away: (PICTURE, PICTURE, 3)."""
    if view.place == "sky":
        return halved(backgrounds.sky(rng))
    leaves_far = backgrounds.foliage(rng, light)
    if view.place == "foliage":
        return blurred(halved(leaves_far), rng.uniform(1, 6))
    if view.place == "backdrop":
        texture = backgrounds.BACKDROPS[rng.integers(len(backgrounds.BACKDROPS))](rng)
        axes = view.camera.turn * [1, 1, -1]
        origin = -rng.uniform(1.2, 3) * axes[:, 2]
        lit, _ = backgrounds.plane(texture, origin, axes, view.camera, light, shadows)
        return blurred(halved(lit), rng.uniform(0, 2))
    texture = backgrounds.GROUNDS[rng.integers(len(backgrounds.GROUNDS))](rng)
    origin = np.array([0, 0, view.ground])
    lit, distance = backgrounds.plane(texture, origin, np.eye(3), view.camera, light, shadows)
    horizon = backgrounds.sky(rng) if view.place == "field" and rng.random() < 0.5 else leaves_far
    length = distance * np.linalg.norm(view.camera.rays(), axis=-1)
    share = np.clip(length / (9 * view.half_width + 20) - 0.6, 0, 1)
    share = np.where(np.isinf(distance), 1, share)[..., None]
    return blurred(halved(lit * (1 - share) + horizon * share), rng.uniform(0.3, 4))


def _layer(patches: list[Patches], camera: Camera, light: Light, shadows: Shadows) -> np.ndarray:
    """These surfaces alone, with alpha: (PICTURE, PICTURE, 4), premultiplied."""
    scene = quads(patches)
    hits = rasterise(camera.project(scene.corners), SIZE, SIZE)
    layer = np.zeros((SIZE * SIZE, 4))
    layer[hits.pixel, :3] = shade(hits, scene, light, shadows, camera.eye)
    layer[hits.pixel, 3] = 1
    return halved(layer.reshape(SIZE, SIZE, 4))
