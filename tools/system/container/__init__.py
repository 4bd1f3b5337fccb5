"""The service's container, built from Debian packages and wheels without a registry and without running it.

The files of its layers, its archive, its description and its bill of materials.
"""
