"""Offline voice assistant for cars: microphone to transcript, nothing leaves the car."""

import os

__version__ = "0.1.0"

# NumPy's BLAS starts a thread per core with its first matrix product, and those threads spin while ONNX
# Runtime works: a 3 s command then costs twice the processor time. Our only large product is that of the mel
# filterbank, too small to share. Read when NumPy is imported, hence here; what the user has set stays.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
