"""What kas and bitbake are given and what they say, and the layer's own files, read without them.

Images, pinned commits, mirrors, the user who runs bitbake, and a reader of our recipes. What is checked
about the layer is in ``image_checks``.
"""
