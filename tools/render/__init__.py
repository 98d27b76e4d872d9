"""Picture sets drawn by programs, so that they can ship: deterministic, with a card and checksums.

    python -m tools.render flowers            draw data/flowers anew
    python -m tools.render flowers --check    redraw a sample and compare it with what ships

A set is a package beside this file, named as its folder in data/. It offers `draw(class_name, rng)`, which
returns a PIL image, and `CLASSES`, `COUNTS` (pictures of each class, by split), `SEED` and `CARD`.
"""
