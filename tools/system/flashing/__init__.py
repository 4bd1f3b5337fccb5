"""Writing an image onto a card: which device, what it holds, what is kept, and that it was written right."""
