# Made by scripts/generate: change that, not this.
source "${BASH_SOURCE[0]%-image}"  # installed it is called flux-image, beside flux
