"""An OpenAI-compatible image server on this machine. `web` owns the libraries that serve it."""
