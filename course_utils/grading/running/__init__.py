"""Running a notebook of a stranger: nbval in a sandbox."""
