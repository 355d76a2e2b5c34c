"""What learners hand in: read, laid over the source notebook, freed of all answers."""
