"""One module or folder per system, each in one framework; none is loaded before it is asked for."""
