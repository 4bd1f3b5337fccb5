"""Files that hold a disk: compressed images, block maps, partition tables.

It reads them; what is written onto a card is in ``flashing``.
"""
