"""Makes the small recognisers of the models' tests importable here."""

import os
import sys
from pathlib import Path

# TensorFlow's greeting at import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# pytest itself does this for a folder that holds tests, once it reads one of them.
sys.path.append(str(Path(__file__).resolve().parents[1] / "models"))
