"""Mixtures of speech, noise and rooms: found in folders, split into two sides, drawn by number."""
