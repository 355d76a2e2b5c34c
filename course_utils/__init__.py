"""Helpers for a course in machine learning for sound.

Data flows one way through this package: from a sound file (:mod:`audio`) to numbers
(:mod:`features`), data sets, models, decisions, and pictures. Importing the package itself loads no
deep-learning framework.
"""

__version__ = "0.1.0"
