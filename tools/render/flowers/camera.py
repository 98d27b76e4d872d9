"""The camera: layers over the backdrop, then focus, exposure, colour and noise."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from tools.render.flowers.patches import Array


def photograph(behind: Array, layers: list[tuple[Array, Array]], rng) -> Image.Image:
    """Put `layers`, (colour, coverage) from back to front, over the backdrop and take the picture."""
    image = behind
    for depth, (colour, cover) in enumerate(layers):
        blur = rng.uniform(0, 0.7) if depth == 0 else rng.uniform(0.5, 3.0)  # what is near is out of focus
        soft = gaussian_filter(cover, blur)[..., None]
        colour = gaussian_filter(colour * cover[..., None], (blur, blur, 0)) / np.maximum(soft, 1e-4)
        shadow = gaussian_filter(np.roll(cover, (6, 4), axis=(0, 1)), 8)[..., None]
        image = image * (1 - 0.35 * shadow) * (1 - soft) + colour * soft
    return developed(image, rng)


def developed(image: Array, rng) -> Image.Image:
    """Shake, exposure, white balance, contrast, vignette and noise; linear light becomes sRGB."""
    size = image.shape[0]
    if rng.random() < 0.25:
        image = gaussian_filter(image, (*rng.uniform(0.3, 1.6, 2), 0))
    y, x = np.mgrid[:size, :size] / size - 0.5
    image = image * (1 - rng.uniform(0, 0.9) * (x**2 + y**2))[..., None]
    image = image * 2 ** rng.normal(0.35, 0.45) * (1 + rng.normal(0, 0.06, 3))
    image = 1 - np.exp(-1.6 * image)  # highlights roll off, as on film
    image = np.clip(image, 0, 1) ** (1 / 2.2)
    image = (
        0.5 + (image - 0.5) * rng.uniform(0.85, 1.15) + rng.normal(0, rng.uniform(0.004, 0.03), image.shape)
    )
    return Image.fromarray((np.clip(image, 0, 1) * 255).astype(np.uint8))
