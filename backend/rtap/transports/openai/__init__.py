"""OpenAI's audio API and its list of models, so that its clients work against this service as they are.

Files come in and are transcribed as in :mod:`rtap.transports.rest`; only fields, replies and their
description are OpenAI's own. Nothing here is used by another protocol.
"""
