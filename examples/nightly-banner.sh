#!/bin/sh
# A CI job: make the banners of the day for at most 0.25 USD, and say how that ended.
# If you run it again on the same day, it pays only for banners that are missing or that another
# prompt made.
#
#   examples/nightly-banner.sh "northern lights over a lake" FOLDER
#
# It draws free sketches. For real images, set LUMENFALL_API_KEY and FLUX_PROVIDER=lumenfall.
set -eu
export FLUX_PROVIDER="${FLUX_PROVIDER:-offline}"
prompt="${1:-northern lights over a lake}"
folder="${2:-banners}"

mkdir -p "$folder"
code=0
flux generate "$prompt" -n 2 --seed "$(date +%Y%m%d)" --aspect-ratio 21:9 \
  --output "$folder/banner-{seed}.webp" --update --max-cost 0.25 \
  --json >"$folder/result.json" || code=$?

case $code in
  0) echo "All banners are in $folder." ;;
  2) echo "The options are wrong, or the banners would cost more than 0.25 USD." ;;
  3) echo "Some banners are missing. Run this job again to make them." ;;
  4) echo "The key is missing or was refused, or the account has no balance." ;;
  *) echo "There are no banners. $folder/result.json says why." ;;
esac
exit "$code"
