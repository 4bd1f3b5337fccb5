"""What a machine needs before a tool runs: ``.venv`` and its lock files, Debian packages, torch.

``packages`` has the lists of Debian packages, one for each purpose. A module here may not need what it
installs.
"""
