"""How people set up flux: keys, and whether this machine has all that flux needs."""
