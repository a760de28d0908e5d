.ratio = (0 * infinite)
