"""From a transcript to what is done: one thread that understands, acts on the car and tells of it.

It hears only what this instance publishes, so that of a standby pair one instance acts. What a sentence means
is :mod:`rtap.intents`'s to say, what an intent does is :mod:`rtap.vehicle`'s; here they are put together.
Nothing here knows of clients.
"""
