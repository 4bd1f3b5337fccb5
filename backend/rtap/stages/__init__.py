"""What happens to audio, a module each: capture, denoise, wake word, voice activity, recognition, language.

A stage knows neither the pipeline, nor the bus, nor another stage; :mod:`rtap.pipeline` connects them.
"""
