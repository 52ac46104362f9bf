#!/bin/sh
# Read a prompt from a pipe, and write the image to a pipe. Arguments go to flux generate.
#
#   echo "a lighthouse by the sea" | examples/pipe.sh --size 16:9 | magick - -resize 50% lighthouse.png
#
# It draws a free sketch. For a real image, set LUMENFALL_API_KEY and FLUX_PROVIDER=lumenfall.
set -eu
export FLUX_PROVIDER="${FLUX_PROVIDER:-offline}"
exec flux generate - --output - --quiet "$@"
