"""Dreamsite: people draw together on one canvas while a neural network dreams on it."""
