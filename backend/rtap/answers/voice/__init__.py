"""Voices: programs that make speech of a sentence. Each engine has a module."""
