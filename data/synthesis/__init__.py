"""Tools with which the scripts in `data/` synthesise the speech and noise that the course ships."""
