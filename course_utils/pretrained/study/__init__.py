"""Comparing strategies properly: a grid of runs that can be stopped, gone on with, and shared out."""
