"""What the service asks of the system that runs it: descriptors, threads, memory, a supervisor, a watchdog.

Nothing here is about speech, and nothing here serves a client.
"""
