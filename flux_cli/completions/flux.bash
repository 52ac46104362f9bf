# Made by scripts/generate: change that, not this.
# bash 3.2 and newer. Nothing is started: words are compared by the shell itself.

_flux() {
    local globs=on
    [[ $- == *f* ]] && globs=off
    set -f  # words are split below, and none of them is a pattern
    _flux_find
    if [[ $globs == on ]]; then set +f; fi
}

_flux_find() {
    local line=${COMP_LINE:0:COMP_POINT} cur prev='' command='' below='' word about listed='' IFS=$' \t\n'
    cur=${line##*[[:space:]]}
    for word in ${line%"$cur"}; do
        prev=$word
        if [[ $word == -* ]]; then continue
        elif [[ -z $command ]]; then command=/
        elif [[ $command == / ]]; then command=$word
        elif [[ -z $below ]]; then below=$word; fi
    done
    command=${command#/}
    if [[ $cur == --*=* ]]; then
        prev=${cur%%=*} cur=${cur#*=}
    fi
    COMPREPLY=()
    case $command,$prev in
        generate,--size|generate,-s) listed=$'4:3\n4:5\n5:4\n1:1\n3:4\n2:3\n3:2\n9:16\n16:9\n9:21\n21:9\n1183x887\n916x1145\n1145x916\n1024x1024\n887x1182\n836x1254\n1254x836\n768x1365\n1365x768\n670x1564\n1563x670' ;;
        generate,--aspect-ratio|generate,-a) listed=$'4:3\n4:5\n5:4\n1:1\n3:4\n2:3\n3:2\n9:16\n16:9\n9:21\n21:9' ;;
        generate,--resolution|generate,-r) listed=$'1K' ;;
        generate,--model|generate,-m) listed=$'flux1.1-pro\nflux-pro-1.1\nflux1.1-pro-ultra\nflux-pro-1.1-ultra' ;;
        generate,--route) listed=$'fal\nreplicate' ;;
        generate,-n|generate,--n) listed=$'' ;;
        generate,--seed) listed=$'' ;;
        generate,--image-prompt) listed=files ;;
        generate,--image-prompt-strength) listed=$'' ;;
        generate,--safety-tolerance) listed=$'1\n2\n3\n4\n5\n6' ;;
        generate,--response-format) listed=$'url\nb64_json' ;;
        generate,--like) listed=files ;;
        generate,--param|generate,-p) listed=$'' ;;
        generate,--output|generate,-o) listed=files ;;
        generate,--output-format|generate,--format|generate,-f) listed=$'png\njpeg\ngif\nwebp\navif' ;;
        generate,--output-compression|generate,--quality|generate,-q) listed=$'' ;;
        generate,--concurrency) listed=$'' ;;
        generate,--timeout) listed=$'' ;;
        generate,--retries) listed=$'' ;;
        generate,--max-cost) listed=$'' ;;
        generate,--progress) listed=$'auto\nplain\nnone' ;;
        generate,--log-file) listed=files ;;
        generate,--provider) listed=$'lumenfall\nbfl\nfal\nreplicate\nopenai\nopenai.com\ntogether\nlocalai\nsdcpp\nvllm\nsglang\noffline' ;;
        generate,--base-url) listed=$'' ;;
        generate,--fit) listed=$'none\ncover\ncontain\nexact' ;;
        generate,--focus) listed=$'' ;;
        generate,--width) listed=$'' ;;
        generate,--max-bytes) listed=$'' ;;
        generate,--effort) listed=$'fast\nbalanced\nsmall' ;;
        generate,--sheet-output) listed=files ;;
        resolve,--size|resolve,-s) listed=$'4:3\n4:5\n5:4\n1:1\n3:4\n2:3\n3:2\n9:16\n16:9\n9:21\n21:9\n1183x887\n916x1145\n1145x916\n1024x1024\n887x1182\n836x1254\n1254x836\n768x1365\n1365x768\n670x1564\n1563x670' ;;
        resolve,--aspect-ratio|resolve,-a) listed=$'4:3\n4:5\n5:4\n1:1\n3:4\n2:3\n3:2\n9:16\n16:9\n9:21\n21:9' ;;
        resolve,--resolution|resolve,-r) listed=$'1K' ;;
        resolve,--model|resolve,-m) listed=$'flux1.1-pro\nflux-pro-1.1\nflux1.1-pro-ultra\nflux-pro-1.1-ultra' ;;
        resolve,--route) listed=$'fal\nreplicate' ;;
        resolve,-n|resolve,--n) listed=$'' ;;
        resolve,--seed) listed=$'' ;;
        resolve,--image-prompt) listed=files ;;
        resolve,--image-prompt-strength) listed=$'' ;;
        resolve,--safety-tolerance) listed=$'1\n2\n3\n4\n5\n6' ;;
        resolve,--response-format) listed=$'url\nb64_json' ;;
        resolve,--like) listed=files ;;
        resolve,--param|resolve,-p) listed=$'' ;;
        resolve,--output|resolve,-o) listed=files ;;
        resolve,--output-format|resolve,--format|resolve,-f) listed=$'png\njpeg\ngif\nwebp\navif' ;;
        resolve,--output-compression|resolve,--quality|resolve,-q) listed=$'' ;;
        resolve,--concurrency) listed=$'' ;;
        resolve,--timeout) listed=$'' ;;
        resolve,--retries) listed=$'' ;;
        resolve,--max-cost) listed=$'' ;;
        resolve,--progress) listed=$'auto\nplain\nnone' ;;
        resolve,--log-file) listed=files ;;
        resolve,--provider) listed=$'lumenfall\nbfl\nfal\nreplicate\nopenai\nopenai.com\ntogether\nlocalai\nsdcpp\nvllm\nsglang\noffline' ;;
        resolve,--base-url) listed=$'' ;;
        resolve,--fit) listed=$'none\ncover\ncontain\nexact' ;;
        resolve,--focus) listed=$'' ;;
        resolve,--width) listed=$'' ;;
        resolve,--max-bytes) listed=$'' ;;
        resolve,--effort) listed=$'fast\nbalanced\nsmall' ;;
        resolve,--sheet-output) listed=files ;;
        convert,--size|convert,-s) listed=$'4:3\n4:5\n5:4\n1:1\n3:4\n2:3\n3:2\n9:16\n16:9\n9:21\n21:9\n1183x887\n916x1145\n1145x916\n1024x1024\n887x1182\n836x1254\n1254x836\n768x1365\n1365x768\n670x1564\n1563x670' ;;
        convert,--output|convert,-o) listed=files ;;
        convert,--output-format|convert,--format|convert,-f) listed=$'png\njpeg\ngif\nwebp\navif' ;;
        convert,--output-compression|convert,--quality|convert,-q) listed=$'' ;;
        convert,--alt) listed=$'' ;;
        convert,--fit) listed=$'none\ncover\ncontain\nexact' ;;
        convert,--focus) listed=$'' ;;
        convert,--width) listed=$'' ;;
        convert,--max-bytes) listed=$'' ;;
        convert,--effort) listed=$'fast\nbalanced\nsmall' ;;
        sizes,--model|sizes,-m) listed=$'flux1.1-pro\nflux-pro-1.1\nflux1.1-pro-ultra\nflux-pro-1.1-ultra' ;;
        providers,--model|providers,-m) listed=$'flux1.1-pro\nflux-pro-1.1\nflux1.1-pro-ultra\nflux-pro-1.1-ultra' ;;
        *,*)
            if [[ $cur == -* ]]; then
                case $command in
                    generate) listed=$'--size\tPixels (1920x1080) or a shape (16:9)\n-s\tPixels (1920x1080) or a shape (16:9)\n--aspect-ratio\tShape only\n-a\tShape only\n--resolution\tScale only\n-r\tScale only\n--model\tModel to ask\n-m\tModel to ask\n--route\tForce one upstream\n-n\tNumber of pictures, made in parallel\n--n\tNumber of pictures, made in parallel\n--seed\tSeed for reproducibility\n--raw\tLess processed, more natural-looking\n--no-raw\tLess processed, more natural-looking\n--enhance-prompt\tLet the provider enrich the prompt (fal)\n--no-enhance-prompt\tLet the provider enrich the prompt (fal)\n--image-prompt\tPicture that guides the composition\n--image-prompt-strength\tHow much the image prompt counts\n--safety-tolerance\t1 is the strictest\n--response-format\tHow the provider hands the picture over\n--sync-mode\tReturn a data URI and keep the picture out of the history (fal)\n--no-sync-mode\tReturn a data URI and keep the picture out of the history (fal)\n--like\tAsk again as for that picture\n--param\tAny other parameter, passed straight through\n-p\tAny other parameter, passed straight through\n--output\tFile (its suffix chooses the format), folder/, template, or - for stdout\n-o\tFile (its suffix chooses the format), folder/, template, or - for stdout\n--output-format\tpng, jpeg, gif, webp, avif\n--format\tpng, jpeg, gif, webp, avif\n-f\tpng, jpeg, gif, webp, avif\n--output-compression\tQuality\n--quality\tQuality\n-q\tQuality\n--overwrite\tReplace existing files\n--skip-existing\tPay only for pictures that are not there yet\n--json\tPrint one JSON document\n--concurrency\tCalls in flight at once\n--timeout\tLongest wait for one picture\n--retries\tRepetitions of calls that surely did nothing\n--dry-run\tShow calls, file names and cost\n--max-cost\tRefuse runs that would cost more\n--yes\tGo on where --max-cost is set and the price is unknown\n-y\tGo on where --max-cost is set and the price is unknown\n--quiet\tSay nothing but errors\n--verbose\tShow each step, request ids and the causes behind errors\n-v\tShow each step, request ids and the causes behind errors\n--progress\tHow progress is shown\n--log-file\tAppend every step to a file, one JSON object a line, without keys\n--provider\tWho is asked\n--base-url\tAddress of an OpenAI-compatible server, up to and with /v1\n--no-key\tSend no key\n--offline\tDraw a local sketch\n--no-badge\tLeave the mark out of an offline sketch\n--fit\tMake files exactly --size\n--focus\tWhat --fit cover keeps\n--upscale\tAllow files larger than the picture\n--width\tA derivative of that width, named {name}-{width}.{ext}\n--max-bytes\tLower the quality until a file has at most 200kB, 1.5MB, 2MiB\n--lossless\tKeep every pixel as it is\n--effort\tTime spent on making files small\n--keep-original\tAlso save the picture as it came\n--html\tPrint a <picture> element in place of the paths\n--no-metadata\tWrite nothing into the picture\n--no-prompt-metadata\tWrite all but the prompt into it\n--sidecar\tWrite how it was made into a .json beside the picture\n--preview\tShow the pictures in the terminal\n--no-preview\tShow the pictures in the terminal\n--sheet\tAlso save one picture of all pictures\n--sheet-output\tSave that sheet under this name\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    resolve) listed=$'--size\tPixels (1920x1080) or a shape (16:9)\n-s\tPixels (1920x1080) or a shape (16:9)\n--aspect-ratio\tShape only\n-a\tShape only\n--resolution\tScale only\n-r\tScale only\n--model\tModel to ask\n-m\tModel to ask\n--route\tForce one upstream\n-n\tNumber of pictures, made in parallel\n--n\tNumber of pictures, made in parallel\n--seed\tSeed for reproducibility\n--raw\tLess processed, more natural-looking\n--no-raw\tLess processed, more natural-looking\n--enhance-prompt\tLet the provider enrich the prompt (fal)\n--no-enhance-prompt\tLet the provider enrich the prompt (fal)\n--image-prompt\tPicture that guides the composition\n--image-prompt-strength\tHow much the image prompt counts\n--safety-tolerance\t1 is the strictest\n--response-format\tHow the provider hands the picture over\n--sync-mode\tReturn a data URI and keep the picture out of the history (fal)\n--no-sync-mode\tReturn a data URI and keep the picture out of the history (fal)\n--like\tAsk again as for that picture\n--param\tAny other parameter, passed straight through\n-p\tAny other parameter, passed straight through\n--output\tFile (its suffix chooses the format), folder/, template, or - for stdout\n-o\tFile (its suffix chooses the format), folder/, template, or - for stdout\n--output-format\tpng, jpeg, gif, webp, avif\n--format\tpng, jpeg, gif, webp, avif\n-f\tpng, jpeg, gif, webp, avif\n--output-compression\tQuality\n--quality\tQuality\n-q\tQuality\n--overwrite\tReplace existing files\n--skip-existing\tPay only for pictures that are not there yet\n--json\tPrint one JSON document\n--concurrency\tCalls in flight at once\n--timeout\tLongest wait for one picture\n--retries\tRepetitions of calls that surely did nothing\n--dry-run\tShow calls, file names and cost\n--max-cost\tRefuse runs that would cost more\n--yes\tGo on where --max-cost is set and the price is unknown\n-y\tGo on where --max-cost is set and the price is unknown\n--quiet\tSay nothing but errors\n--verbose\tShow each step, request ids and the causes behind errors\n-v\tShow each step, request ids and the causes behind errors\n--progress\tHow progress is shown\n--log-file\tAppend every step to a file, one JSON object a line, without keys\n--provider\tWho is asked\n--base-url\tAddress of an OpenAI-compatible server, up to and with /v1\n--no-key\tSend no key\n--offline\tDraw a local sketch\n--no-badge\tLeave the mark out of an offline sketch\n--fit\tMake files exactly --size\n--focus\tWhat --fit cover keeps\n--upscale\tAllow files larger than the picture\n--width\tA derivative of that width, named {name}-{width}.{ext}\n--max-bytes\tLower the quality until a file has at most 200kB, 1.5MB, 2MiB\n--lossless\tKeep every pixel as it is\n--effort\tTime spent on making files small\n--keep-original\tAlso save the picture as it came\n--html\tPrint a <picture> element in place of the paths\n--no-metadata\tWrite nothing into the picture\n--no-prompt-metadata\tWrite all but the prompt into it\n--sidecar\tWrite how it was made into a .json beside the picture\n--preview\tShow the pictures in the terminal\n--no-preview\tShow the pictures in the terminal\n--sheet\tAlso save one picture of all pictures\n--sheet-output\tSave that sheet under this name\n--curl\tPrint a curl command to paste into a shell\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    show) listed=$'--json\tPrint one JSON document\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    convert) listed=$'--size\tPixels, or a shape, for --fit\n-s\tPixels, or a shape, for --fit\n--output\tFile, folder/, template (\'{name}-small.{avif,webp}\'), or - for stdout\n-o\tFile, folder/, template (\'{name}-small.{avif,webp}\'), or - for stdout\n--output-format\tpng, jpeg, gif, webp or avif\n--format\tpng, jpeg, gif, webp or avif\n-f\tpng, jpeg, gif, webp or avif\n--output-compression\tQuality\n--quality\tQuality\n-q\tQuality\n--alt\tFor --html\n--overwrite\tReplace existing files\n--skip-existing\tMake only files that are not there yet\n--json\tPrint one JSON document\n--quiet\tSay nothing but errors\n--verbose\tShow the causes behind an error\n-v\tShow the causes behind an error\n--fit\tMake files exactly --size\n--focus\tWhat --fit cover keeps\n--upscale\tAllow files larger than the picture\n--width\tA derivative of that width, named {name}-{width}.{ext}\n--max-bytes\tLower the quality until a file has at most 200kB, 1.5MB, 2MiB\n--lossless\tKeep every pixel as it is\n--effort\tTime spent on making files small\n--keep-original\tAlso save the picture as it came\n--html\tPrint a <picture> element in place of the paths\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    sizes) listed=$'--model\tModel to ask\n-m\tModel to ask\n--json\tPrint one JSON document\n--plain\tPrint only sizes, such as 1365x768\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    models) listed=$'--json\tPrint one JSON document\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    providers) listed=$'--model\tModel to ask\n-m\tModel to ask\n--json\tPrint one JSON document\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    runs) listed=$'--json\tPrint one JSON document\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    recover) listed=$'--json\tPrint one JSON document\n--verbose\tShow the causes behind an error\n-v\tShow the causes behind an error\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    schema) listed=$'--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    completion) listed=$'--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    help) listed=$'--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    config) listed=$'--json\tPrint one JSON document\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                    *) listed=$'--version\tShow the version\n-V\tShow the version\n--help\tShow this message and exit\n-h\tShow this message and exit' ;;
                esac
            else
                case $command,$below in
                    ,) listed=$'generate\tMake pictures from a prompt\nresolve\tShow what would be sent, and why\nshow\tShow what pictures are and how they were made\nconvert\tMake other files of pictures: another format, exact pixels, several widths, fewer bytes\nsizes\tShow a model\'s sizes, or the nearest one\nmodels\tList the models of the catalogue\nproviders\tList who can be asked\nruns\tList earlier runs\nrecover\tSave what is paid for and not saved\nschema\tPrint the JSON Schema of what --json prints\ncompletion\tPrint the completion script of a shell\nhelp\tExplain a topic or a command\nconfig\tShow every setting with its source' ;;
                    sizes,*) listed=$'4:3\n4:5\n5:4\n1:1\n3:4\n2:3\n3:2\n9:16\n16:9\n9:21\n21:9\n1183x887\n916x1145\n1145x916\n1024x1024\n887x1182\n836x1254\n1254x836\n768x1365\n1365x768\n670x1564\n1563x670' ;;
                    models,*) listed=$'flux1.1-pro\nflux1.1-pro-ultra' ;;
                    providers,*) listed=$'lumenfall\nbfl\nfal\nreplicate\nopenai\nopenai.com\ntogether\nlocalai\nsdcpp\nvllm\nsglang\noffline' ;;
                    schema,*) listed=$'generate\nresolve\nsizes\nmodels\nproviders\nconfig\nruns\nrecover\nshow\nconvert' ;;
                    completion,*) listed=$'bash\nzsh\nfish\npowershell' ;;
                    help,*) listed=$'sizes\nformats\nexit-codes\nenvironment\nnames\ngenerate\nresolve\nshow\nconvert\nmodels\nproviders\nruns\nrecover\nschema\ncompletion\nhelp\nconfig' ;;
                    config,) listed=$'path\tPrint the path of the user\'s settings file, there or not' ;;
                esac
            fi ;;
    esac
    if [[ $listed == files ]]; then
        compopt -o default 2> /dev/null
        return
    fi
    IFS=$'\n'
    for word in $listed; do
        [[ $word == "$cur"* ]] || continue
        about=${word#*$'\t'} word=${word%%$'\t'*}
        # A second TAB lists; what is listed is not typed, so it can explain itself.
        [[ $COMP_TYPE == 63 && $about != "$word" ]] && word="$word  ($about)"
        COMPREPLY+=("$word")
    done
    if [[ $COMP_TYPE == 63 && ${#COMPREPLY[@]} == 1 ]]; then COMPREPLY=("${COMPREPLY[0]%%  (*}"); fi
    # Readline breaks words at colons: what stands before the last one is on the line already.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local before=${cur%"${cur##*:}"} place
        for place in "${!COMPREPLY[@]}"; do COMPREPLY[place]=${COMPREPLY[place]#"$before"}; done
    fi
}

complete -F _flux flux flux-image
