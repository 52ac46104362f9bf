"""Files of this machine, seen as a shared place: whose they are, and which links lead astray."""
