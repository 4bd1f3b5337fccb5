"""A car behind an MQTT broker: ``messages`` is the format, ``link`` the connection, ``vehicle`` the car."""
