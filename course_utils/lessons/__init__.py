"""The content of each notebook, under its own name: a folder of exercises and a YAML of questions."""
