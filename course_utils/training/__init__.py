"""Training runs that can be stopped at any moment: loops, checkpoints, recipes."""
