"""What command lines have in common: how a tool starts and ends, options of several tools, progress, sizes.

It knows nothing of what the tools do.
"""
