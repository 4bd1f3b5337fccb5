"""Whisper on ONNX Runtime: features, graphs, decoding, timestamps, and the models on disk.

The engine alone: it is given samples and returns text with times. It knows no stream, no session and no
client, needs no configuration and logs by the standard library alone, so that the tools can use it as it
is.
"""
