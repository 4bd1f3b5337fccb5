"""Audio as data: its one form inside this project, files, levels, resampling and buffers.

Nothing here knows what the audio is used for. What is done to a stream of it is a stage, in
:mod:`rtap.stages`; the microphone is one as well, as it can fail and come back.
"""
