"""From what a run has left to points: the judge, and what it says."""
