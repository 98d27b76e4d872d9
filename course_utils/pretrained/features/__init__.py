"""What a network sees: features, probes on them, neighbours, similarity."""
