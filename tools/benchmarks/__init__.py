"""Figures of the service, the screen and the engine, and how they are reported.

``service`` measures ``rtap serve`` from outside, ``asr`` the engine beside its peers; they do not know
each other. Here is what they share: distributions, the machine, targets, reports.
"""
