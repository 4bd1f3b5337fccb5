"""The checks of ``rtap doctor``: can this machine run the service as configured, and if not, what to do.

A check takes the configuration and returns a :class:`~rtap.doctor.finding.Finding`; :mod:`.checks` lists
all of them. They look and try out, and change nothing.
"""
