"""The checks of tools/image_check, one module for each, and what they share: the workshop, needs, verdicts.

A check returns what it saw in one line or raises; :mod:`.checks` lists all of them.
"""
