#!/bin/sh
# Make the images of a web page from one prompt: two shapes, each in three formats and two widths,
# and an index.html that shows them. If you run it again, it makes only what is missing or was made
# for another prompt.
#
#   examples/web-images.sh "a lighthouse by the sea" FOLDER
#
# It draws free sketches. For real images, set LUMENFALL_API_KEY and FLUX_PROVIDER=lumenfall.
set -eu
export FLUX_PROVIDER="${FLUX_PROVIDER:-offline}"
prompt="${1:-a lighthouse by the sea}"
folder="${2:-web-images}"

image() { # NAME SIZE SMALL_WIDTH
  flux generate "$prompt" --seed 7 --size "$2" --fit cover --width "$3" \
    --output "$1.{avif,webp,jpg}" --update --html
}

mkdir -p "$folder"
cd "$folder"
{
  image card 1200x630 600
  image square 800x800 400
} >index.html
