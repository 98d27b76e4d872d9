"""From files to batches: pictures, image sets, preprocessing."""
