import os

# TensorFlow's greeting at import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
