"""What the defects lie on: six materials, each in many colours and finishes."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from tools.render.noise import SIZE, field, log_uniform, smoothstep


@dataclass
class Surface:
    """A flat piece of material seen from straight above; defects change it in place."""

    albedo: np.ndarray      # (SIZE, SIZE, 3), linear RGB in [0, 1]
    height: np.ndarray      # (SIZE, SIZE), pixels
    gloss: np.ndarray       # (SIZE, SIZE), strength of the mirror-like reflection, in [0, 1]
    sharpness: float        # exponent of that reflection: 10 is satin, 200 a glaze
    bare: np.ndarray        # (3,), what lies under the surface: metal under paint, chalk in concrete
    arriving: np.ndarray | float = 1.0      # share of the lamp's light that no shadow keeps away
    part: np.ndarray | float = 1.0          # 1 on the piece, 0 beyond its edge, where no defect can be


def tinted(rng: np.random.Generator, lightness: tuple[float, float],
           saturation: tuple[float, float], hue: tuple[float, float] = (0, 1)) -> np.ndarray:
    """A random colour, linear RGB, (3,), float32."""
    rgb = colorsys.hls_to_rgb(rng.uniform(*hue), rng.uniform(*lightness), rng.uniform(*saturation))
    return np.array(rgb, np.float32) ** 2.2


def painted(colour: np.ndarray, *variations: np.ndarray) -> np.ndarray:
    """`colour` everywhere, made lighter and darker by the fields `variations`: (SIZE, SIZE, 3)."""
    shade = np.ones((SIZE, SIZE), np.float32)
    for variation in variations:
        shade = shade * np.exp(variation)
    return np.clip(shade[..., None] * colour, 0, 1)


def even(value: float) -> np.ndarray:
    return np.full((SIZE, SIZE), value, np.float32)


def brushed_steel(rng: np.random.Generator) -> Surface:
    colour = tinted(rng, (0.5, 0.75), (0.0, 0.06))
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
    streaks = field(rng, 40, roughness=1.2, stretch=log_uniform(rng, 25, 80), angle=angle)
    return Surface(albedo=painted(colour, 0.14 * streaks, 0.06 * field(rng, 150)),
                   height=rng.uniform(0.1, 0.35) * field(rng, 20, roughness=1, stretch=40, angle=angle),
                   gloss=even(rng.uniform(0.4, 0.8)), sharpness=rng.uniform(12, 40),
                   bare=np.clip(colour * 2 + 0.1, 0, 1))


def cast_metal(rng: np.random.Generator) -> Surface:
    colour = tinted(rng, (0.25, 0.55), (0.0, 0.06))
    bumps = field(rng, log_uniform(rng, 8, 25), roughness=2.2)
    return Surface(albedo=painted(colour, 0.1 * bumps, 0.08 * field(rng, 100)),
                   height=rng.uniform(0.4, 1.0) * bumps,
                   gloss=even(rng.uniform(0.15, 0.4)), sharpness=rng.uniform(8, 25),
                   bare=np.maximum(colour * 2.0, 0.3))


def painted_sheet(rng: np.random.Generator) -> Surface:
    colour = tinted(rng, (0.2, 0.85), (0.05, 0.55))
    peel = field(rng, rng.uniform(12, 22), roughness=4)
    return Surface(albedo=painted(colour, 0.03 * field(rng, 150), 0.03 * field(rng, 3)),
                   height=rng.uniform(0.2, 0.7) * peel,
                   gloss=even(rng.uniform(0.2, 0.6)), sharpness=log_uniform(rng, 30, 200),
                   bare=tinted(rng, (0.55, 0.8), (0.0, 0.25)))


def concrete(rng: np.random.Generator) -> Surface:
    colour = tinted(rng, (0.45, 0.75), (0.0, 0.15), hue=(0.04, 0.17))
    grain, clouds = field(rng, 5, roughness=0.8), field(rng, log_uniform(rng, 40, 160), roughness=1.6)
    stones = smoothstep(field(rng, 9, roughness=3), 1.2, 1.8) * rng.uniform(-0.5, 0.3)
    return Surface(albedo=painted(colour, 0.1 * grain, 0.1 * clouds, stones),
                   height=rng.uniform(0.25, 0.6) * field(rng, 8, roughness=1.2) + 1.5 * clouds,
                   gloss=even(0.03), sharpness=10, bare=np.clip(colour * 1.7 + 0.1, 0, 1))


def ceramic(rng: np.random.Generator) -> Surface:
    colour = tinted(rng, (0.6, 0.93), (0.05, 0.5))
    speckles = smoothstep(field(rng, 4, roughness=1.5), rng.uniform(1.5, 3.5), 4) * rng.uniform(-1.2, 0.2)
    return Surface(albedo=painted(colour, 0.05 * field(rng, 120, roughness=2), speckles),
                   height=rng.uniform(0.5, 2.5) * field(rng, 70, roughness=4),
                   gloss=even(rng.uniform(0.4, 0.9)), sharpness=log_uniform(rng, 60, 300),
                   bare=tinted(rng, (0.6, 0.85), (0.05, 0.3)))


def plastic(rng: np.random.Generator) -> Surface:
    colour = tinted(rng, (0.08, 0.7), (0.0, 0.6))
    leather = np.abs(field(rng, log_uniform(rng, 5, 14), roughness=3))
    return Surface(albedo=painted(colour, 0.03 * field(rng, 100)),
                   height=rng.uniform(0.0, 0.9) * leather,
                   gloss=even(rng.uniform(0.1, 0.35)), sharpness=rng.uniform(8, 40),
                   bare=np.clip(colour * 1.6 + 0.12, 0, 1))


MATERIALS = (brushed_steel, cast_metal, painted_sheet, concrete, ceramic, plastic)


def random_surface(rng: np.random.Generator) -> Surface:
    """One of the materials, each as likely."""
    return MATERIALS[rng.integers(len(MATERIALS))](rng)
