"""Other programs, and what runs beside this one: starting and ending them, their output, ports, locks on folders.

It knows nothing of what the programs are for: not of models, images or the screen.
"""
