"""The command ``rtap``: one module for each subcommand, and what all of them share.

Only here is anything printed, an argument parsed or a status returned; what a command does is elsewhere,
where the service and the tools can use it too. The tools in ``tools/`` use :mod:`.guard` and
:mod:`.terminal`.
"""
