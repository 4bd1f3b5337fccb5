"""Two instances with one microphone each, of which one publishes: the rules, and the link between them.

:mod:`.rules` decides without clock or socket, so that every case can be tested; :mod:`.link` has both.
"""
