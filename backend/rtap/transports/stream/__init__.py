"""The WebSocket ``/stream``: live audio of a client in, its partial and final results out.

:mod:`.server` has the route and its bounds, :mod:`.client` one connection, :mod:`.audio` what comes in
and :mod:`.outbox` what goes out.
"""
