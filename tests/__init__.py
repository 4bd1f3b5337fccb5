"""A package, so that it comes before the one of this name that kuksa-client installs beside its own."""
