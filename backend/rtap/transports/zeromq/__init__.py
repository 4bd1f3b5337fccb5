"""Events and transcripts for programs in the car, on two ZeroMQ sockets, and how such sockets are opened.

:mod:`rtap.standby.link` opens its sockets here too.
"""
