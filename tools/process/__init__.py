"""Other programs, and what runs beside this one: how they start and end, ports, locks on folders.

It knows nothing of what the programs are for: not of models, images or the screen.
"""
