"""The device's software around rtap: the container, the image, and what happens with an image.

No package here needs a running service or a model's inside.
"""
