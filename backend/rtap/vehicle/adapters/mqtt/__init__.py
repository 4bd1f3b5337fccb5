"""A car behind an MQTT broker.

``messages`` is the format, ``connection`` and ``link`` are the way to the broker, ``vehicle`` is the car.
"""
