"""Training: the loop, its schedules, fine-tuning from the cut, choosing a rate and a strategy."""
