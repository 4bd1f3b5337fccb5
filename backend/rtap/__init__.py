"""Offline voice assistant for cars: microphone to transcript, nothing leaves the car."""

__version__ = "0.1.0"
