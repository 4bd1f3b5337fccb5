"""Acting: what an intent does in the car, by signals of COVESA VSS.

:mod:`rtap.vehicle.loader` reads the tables that say which signals an intent sets, :mod:`rtap.vehicle.plan`
decides with them and does no I/O, :class:`rtap.vehicle.actor.Actor` carries it out on a
:class:`rtap.vehicle.protocol.Vehicle`, of which ``adapters`` has the implementations. ``tables`` has what
this project brings; it is package data.
"""
