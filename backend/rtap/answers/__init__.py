"""Answering: a sentence in the speaker's language, a short tone, and a voice.

:class:`rtap.answers.answerer.Answerer` makes the sentence of what was understood and what came of it; it does
no I/O. ``sentences`` has the templates that this project brings, as package data.
"""
