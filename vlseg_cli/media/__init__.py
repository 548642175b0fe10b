"""Sources: images, folders, globs, with colour, orientation and limits taken care of."""
