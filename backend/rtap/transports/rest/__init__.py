"""Our own HTTP API: files to be transcribed, the control of model and microphone, and the page ``/try``.

Uploads and their jobs are here as well, and OpenAI's API shares them. The application that has all routes
is put together in :mod:`rtap.transports.api`.
"""
