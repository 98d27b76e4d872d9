"""The content of each notebook, under its own name: a folder of exercises and a YAML of questions."""

# Notebooks that are no numbered lessons, as paths below notebooks/, in the order in which they follow those.
AFTER_THE_LESSONS = (
    "exercises/coding_1_compare_models",
    "exercises/coding_2_flower_pipeline",
    "exercises/coding_3_gradual_unfreezing",
    "exercises/coding_4_range_test",
    "exercises/conceptual",
    "exercises/challenge",
    "your_own_data",
)
