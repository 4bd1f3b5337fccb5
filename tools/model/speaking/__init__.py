"""Spoken commands to test with: sentences of the service's grammar, in voices that no training has heard."""
