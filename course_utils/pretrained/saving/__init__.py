"""Keeping a model: checkpoints, export, model card."""
