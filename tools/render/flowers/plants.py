"""Whole plants: heads on stems, leaves, grass in front; how many, how large, seen from where."""

from __future__ import annotations

import numpy as np

from tools.render.flowers.heads import HEADS
from tools.render.flowers.parts import GREEN, jitter
from tools.render.flowers.patches import Patch, about_x, about_z, ray, tube
from tools.render.flowers.scene import SUPERSAMPLING, Light

# Half the width of a leaf for its length, its bend, and how many: what botany does not let species share.
LEAVES = {
    "daisy": (0.10, 0.5, (0, 4)),
    "dandelion": (0.14, 0.5, (0, 5)),
    "roses": (0.30, 0.4, (1, 5)),
    "sunflowers": (0.36, 0.5, (1, 4)),
    "tulips": (0.15, 0.2, (1, 4)),
}


def sunlight(rng) -> Light:
    """Sun from anywhere in front or above, warm or cool, hard or veiled."""
    direction = rng.normal(size=3) * [0.8, 0.5, 0.4] + [0, 0.7, 0.9]
    hard, warm = rng.uniform(0.25, 1), rng.normal(0, 0.12)
    tint = np.array([1 + warm, 1.0, 1 - warm])
    return Light(
        direction / np.linalg.norm(direction),
        tint * (0.3 + 0.8 * hard),
        np.array([0.85, 0.95, 1.1]) * (0.75 - 0.45 * hard),
    )


def pose(rng, class_name: str):
    """Rotation of a head: from straight at the camera to sideways; tulips mostly sideways, as they grow."""
    tilt = rng.normal(-1.15, 0.3) if class_name == "tulips" else -abs(rng.normal(0, 0.6))
    return (
        about_z(rng.normal(0, 0.35)) @ about_x(np.clip(tilt, -1.7, 0.4)) @ about_z(rng.uniform(0, 2 * np.pi))
    )


def leaf(rng, class_name: str, at, size: float, density: float) -> Patch:
    width, bend, _ = LEAVES[class_name]
    green = jitter(rng, GREEN, 0.2)
    blade = ray(
        1.0,
        width * rng.uniform(0.8, 1.2),
        density,
        green * 0.7,
        green,
        rise=rng.uniform(0.1, 0.7),
        droop=rng.uniform(0, 2 * bend),
        fold=rng.uniform(-0.5, 0.5),
        belly=0.4,
        blunt=0.7,
        start=0.0,
        veins=0.15,
    )
    upward = rng.normal(np.pi / 2, 0.9)
    turn = about_z(upward) @ about_x(rng.normal(0, 0.7))
    return blade.turned(turn, size, at)


def plant(class_name: str, rng, at, size: float, pixels: int) -> list[Patch]:
    """One flower with its stem and leaves; its head at `at`, its radius `size`."""
    density = size * pixels * SUPERSAMPLING / 2 * 1.5
    turn = pose(rng, class_name)
    patches = [p.turned(turn, size, at) for p in HEADS[class_name](rng, density)]
    back = turn @ np.array([0, 0, -1.0])
    neck = np.asarray(at) + back * size * 0.12
    foot = np.array([at[0] + rng.normal(0, 0.35), -1.3, at[2] - 0.4 - rng.uniform(0, 0.3)])
    middle = neck + back * size * 0.9 + [0, -0.2, -0.05]
    t = np.linspace(0, 1, 30)[:, None]
    path = (1 - t) ** 2 * neck + 2 * t * (1 - t) * middle + t**2 * foot
    thickness = size * rng.uniform(0.03, 0.06)
    patches.append(tube(path, thickness, pixels * SUPERSAMPLING / 2 * 1.5, jitter(rng, GREEN, 0.15)))
    low, high = LEAVES[class_name][2]
    for _ in range(int(rng.integers(low, high + 1))):
        place = path[int(rng.integers(8, 28))]
        patches.append(leaf(rng, class_name, place, size * rng.uniform(0.8, 1.6), density * 1.3))
    return patches


def grass(rng, pixels: int) -> list[Patch]:
    """A few blades before the flowers: they hide parts of them."""
    blades = []
    for _ in range(int(rng.integers(1, 7))):
        green = jitter(rng, GREEN, 0.3)
        blade = ray(
            rng.uniform(0.8, 1.9),
            rng.uniform(0.012, 0.035),
            pixels * SUPERSAMPLING / 2 * 1.5,
            green * 0.6,
            green * 1.2,
            rise=rng.normal(0, 0.2),
            droop=rng.normal(0, 0.5),
            belly=0.3,
            blunt=0.8,
            start=0,
        )
        turn = about_z(rng.normal(np.pi / 2, 0.4)) @ about_x(rng.uniform(0, np.pi))
        blades.append(blade.turned(turn, 1.0, (rng.uniform(-1, 1), -1.2, 0.8)))
    return blades


def bed(class_name: str, rng, pixels: int) -> tuple[list[Patch], list[Patch]]:
    """All flowers of a picture, and what stands before them."""
    count = int(rng.choice([1, 1, 1, 1, 2, 3, 4, 6]))
    largest = rng.uniform(0.4, 0.85) if count == 1 else rng.uniform(0.26, 0.55)
    patches = []
    for i in range(count):
        size = largest * rng.uniform(0.7, 1.0)
        spread = 0.25 if count == 1 else 0.7
        at = np.array(
            [
                rng.uniform(-spread, spread),
                rng.uniform(-0.3, 0.45) if count > 1 else rng.normal(0.1, 0.15),
                -0.35 * i,
            ]
        )
        patches += plant(class_name, rng, at, size, pixels)
    return patches, grass(rng, pixels) if rng.random() < 0.35 else []
