"""What a learner touches: interactive tools built on ipywidgets, each with a static twin."""
