"""The screen on a developer's machine: built, run on a virtual display, photographed; its boot splash.

Its sources are in the layer, which needs nothing from here.
"""
