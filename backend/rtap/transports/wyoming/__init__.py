"""The Wyoming protocol, which Home Assistant speaks: speech to text and wake words, found by zeroconf.

:mod:`.server` has the port and its bounds, :mod:`.client` one connection; :mod:`.package` imports what of
the library ``wyoming`` cannot be imported without a warning.
"""
