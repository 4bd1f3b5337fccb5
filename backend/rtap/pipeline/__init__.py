"""The way of live audio: from the microphone, or a client's stream, through the stages to events.

:mod:`.microphone` is the pipeline of the car's own microphone, :mod:`.session` one conversation from the
first sound to the last transcript, :mod:`.assembly` puts both together as configured. The stages do the
work; nothing here knows how a client is connected.
"""
