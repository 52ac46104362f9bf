# Made by scripts/generate: change that, not this.
complete -c flux-image -w flux
