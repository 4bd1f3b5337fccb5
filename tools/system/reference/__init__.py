"""The Debian reference system: an image for boot tests where Yocto cannot run.

Debian's base, the layer's recipes by their own rules, and the layer's disk layout. It is not the product.
"""
