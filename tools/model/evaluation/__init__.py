"""What a model gets wrong: recordings, noise, normalised words, error rates with intervals, reports.

It measures whatever transcribes, and knows nothing of how a model was made.
"""
