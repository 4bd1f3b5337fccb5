"""From a Whisper checkpoint to the model directory that rtap runs.

Checkpoints and where they come from, adapters, ONNX graphs, smaller precisions, and the comparison with
torch. Nothing here is trained, and no words are counted.
"""
