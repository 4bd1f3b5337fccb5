"""A car behind a KUKSA databroker: ``databroker`` asks it, ``values`` has its types, ``vehicle`` is the car.

It needs the extra ``kuksa``, of which it takes the messages of kuksa.val.v2 and grpcio. The client of
kuksa-client puts one question at a time, or wants an event loop; a car is asked from threads.
"""
