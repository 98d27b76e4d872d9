"""Auditing a folder of pictures: what is wrong in it, what would mislead, and a split without leaks."""
