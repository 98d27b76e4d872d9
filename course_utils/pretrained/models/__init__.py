"""What weights exist, models of them, and their parts: heads, layer groups, what is frozen."""
