"""The parts of a release folder: found, described, checked, and verified by who receives it."""
