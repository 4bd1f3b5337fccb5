"""The recipe of the bundled model cabin-en: sentences, voices, noise, training, export and test sets."""
