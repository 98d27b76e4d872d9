"""Asking a model: predictions, metrics, precision, and what it costs."""
