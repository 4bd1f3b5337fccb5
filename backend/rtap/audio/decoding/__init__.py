"""One module for each kind of audio file: where its sound begins, and how much of it is there.

They read headers and find damage before any library decodes the file, so that a fault is named. The
samples come from :mod:`.sound`; :mod:`rtap.audio.file` is what the rest of the program uses.
"""
