# Made by scripts/generate: change that, not this.
# bash 3.2 and newer. Nothing is started: words are compared by the shell itself.

_flux_values() {  # what the value of an option can be; fails for an option that takes none
    case $1 in
        --size|-s) listed=(4:3 4:5 5:4 1:1 3:4 2:3 3:2 9:16 16:9 9:21 21:9 1183x887 916x1145 1145x916 1024x1024 887x1182 836x1254 1254x836 768x1365 1365x768 670x1564 1563x670) ;;
        --aspect-ratio|-a) listed=(4:3 4:5 5:4 1:1 3:4 2:3 3:2 9:16 16:9 9:21 21:9) ;;
        --resolution|-r) listed=(0.5K 1K 2K 4K) ;;
        --model|-m) listed=(flux1.1-pro flux-pro-1.1 flux1.1-pro-ultra flux-pro-1.1-ultra) ;;
        --route) listed=(fal replicate) ;;
        -n|--n|--seed|--image-prompt-strength|--param|-p|--output-compression|--quality|-q|--concurrency|--timeout|--retries|--max-cost|--base-url|--width|--max-bytes|--alt) listed=() ;;
        --image-prompt|--like|--output|-o|--sheet-output|--log-file) listed=('<files>') ;;
        --safety-tolerance) listed=(1 2 3 4 5 6) ;;
        --response-format) listed=(url b64_json) ;;
        --output-format|--format|-f) listed=(png jpeg gif webp avif) ;;
        --progress) listed=(auto plain none) ;;
        --provider) listed=(lumenfall bfl fal replicate openai openai.com together localai sdcpp vllm sglang offline) ;;
        --fit) listed=(none cover contain exact) ;;
        --focus) listed=(center top bottom left right entropy attention) ;;
        --effort) listed=(fast balanced small) ;;
        *) return 1 ;;
    esac
}

_flux_options() {  # the options of a command
    case $1 in
        '') listed=('--version	Show the version' '-V	Show the version' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        generate) listed=('--size	Pixels (1920x1080) or a ratio (16:9)' '-s	Pixels (1920x1080) or a ratio (16:9)' '--aspect-ratio	Ratio only' '-a	Ratio only' '--resolution	Scale only' '-r	Scale only' '--model	Model' '-m	Model' '--route	Force one upstream of the gateway' '-n	Number of images, generated in parallel' '--n	Number of images, generated in parallel' '--seed	Seed for reproducible images' '--raw	Less processed, more natural-looking images' '--no-raw	Less processed, more natural-looking images' '--enhance-prompt	Let the provider enhance the prompt (fal)' '--no-enhance-prompt	Let the provider enhance the prompt (fal)' '--image-prompt	Image that guides the composition' '--image-prompt-strength	How strongly the image prompt guides the result' '--safety-tolerance	Moderation level' '--response-format	How the provider returns the image' '--sync-mode	Return a data URI and keep the image out of the request history (fal)' '--no-sync-mode	Return a data URI and keep the image out of the request history (fal)' '--like	Reuse prompt, model, seed, size and parameters of an image' '--param	Any other parameter, passed through' '-p	Any other parameter, passed through' '--output	File (its suffix selects the format), folder/, template, or - for stdout' '-o	File (its suffix selects the format), folder/, template, or - for stdout' '--output-format	png, jpeg, gif, webp, avif' '--format	png, jpeg, gif, webp, avif' '-f	png, jpeg, gif, webp, avif' '--output-compression	Quality of lossy files' '--quality	Quality of lossy files' '-q	Quality of lossy files' '--overwrite	Replace existing files' '--skip-existing	Keep existing files and make only the missing ones' '--json	Print one JSON document' '--preview	Show images in the terminal' '--no-preview	Show images in the terminal' '--sheet	Also save a contact sheet of all images' '--sheet-output	Save the contact sheet under this name' '--concurrency	Requests in flight at once' '--timeout	Longest wait for one image' '--retries	Retries of requests that certainly had no effect' '--dry-run	Show requests, file names and cost' '--max-cost	Refuse to start a run that would cost more' '--yes	With --max-cost' '-y	With --max-cost' '--quiet	Print nothing but results and errors' '--verbose	Show each step, request ids and the causes of errors' '-v	Show each step, request ids and the causes of errors' '--progress	How progress is shown' '--log-file	Append every step to a file, one JSON object per line' '--provider	Provider' '--base-url	Base URL of an OpenAI-compatible server, including /v1' '--no-key	Send no API key, for servers that need none' '--offline	Draw a local sketch instead' '--no-badge	Leave the badge out of an offline sketch' '--fit	Make files of exactly --size' '--focus	What --fit cover keeps' '--upscale	Allow files larger than the image' '--width	Write a variant of this width' '--max-bytes	Reduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB' '--lossless	Keep every pixel unchanged' '--effort	Time spent on reducing file size' '--keep-original	Also save the image as received' '--html	Print a <picture> element instead of the paths' '--no-metadata	Write no metadata' '--no-prompt-metadata	Write metadata without the prompt' '--sidecar	Write the metadata into a .json file beside the image' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        resolve) listed=('--size	Pixels (1920x1080) or a ratio (16:9)' '-s	Pixels (1920x1080) or a ratio (16:9)' '--aspect-ratio	Ratio only' '-a	Ratio only' '--resolution	Scale only' '-r	Scale only' '--model	Model' '-m	Model' '--route	Force one upstream of the gateway' '-n	Number of images, generated in parallel' '--n	Number of images, generated in parallel' '--seed	Seed for reproducible images' '--raw	Less processed, more natural-looking images' '--no-raw	Less processed, more natural-looking images' '--enhance-prompt	Let the provider enhance the prompt (fal)' '--no-enhance-prompt	Let the provider enhance the prompt (fal)' '--image-prompt	Image that guides the composition' '--image-prompt-strength	How strongly the image prompt guides the result' '--safety-tolerance	Moderation level' '--response-format	How the provider returns the image' '--sync-mode	Return a data URI and keep the image out of the request history (fal)' '--no-sync-mode	Return a data URI and keep the image out of the request history (fal)' '--like	Reuse prompt, model, seed, size and parameters of an image' '--param	Any other parameter, passed through' '-p	Any other parameter, passed through' '--output	File (its suffix selects the format), folder/, template, or - for stdout' '-o	File (its suffix selects the format), folder/, template, or - for stdout' '--output-format	png, jpeg, gif, webp, avif' '--format	png, jpeg, gif, webp, avif' '-f	png, jpeg, gif, webp, avif' '--output-compression	Quality of lossy files' '--quality	Quality of lossy files' '-q	Quality of lossy files' '--overwrite	Replace existing files' '--skip-existing	Keep existing files and make only the missing ones' '--json	Print one JSON document' '--preview	Show images in the terminal' '--no-preview	Show images in the terminal' '--sheet	Also save a contact sheet of all images' '--sheet-output	Save the contact sheet under this name' '--concurrency	Requests in flight at once' '--timeout	Longest wait for one image' '--retries	Retries of requests that certainly had no effect' '--dry-run	Show requests, file names and cost' '--max-cost	Refuse to start a run that would cost more' '--yes	With --max-cost' '-y	With --max-cost' '--quiet	Print nothing but results and errors' '--verbose	Show each step, request ids and the causes of errors' '-v	Show each step, request ids and the causes of errors' '--progress	How progress is shown' '--log-file	Append every step to a file, one JSON object per line' '--provider	Provider' '--base-url	Base URL of an OpenAI-compatible server, including /v1' '--no-key	Send no API key, for servers that need none' '--offline	Draw a local sketch instead' '--no-badge	Leave the badge out of an offline sketch' '--fit	Make files of exactly --size' '--focus	What --fit cover keeps' '--upscale	Allow files larger than the image' '--width	Write a variant of this width' '--max-bytes	Reduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB' '--lossless	Keep every pixel unchanged' '--effort	Time spent on reducing file size' '--keep-original	Also save the image as received' '--html	Print a <picture> element instead of the paths' '--no-metadata	Write no metadata' '--no-prompt-metadata	Write metadata without the prompt' '--sidecar	Write the metadata into a .json file beside the image' '--curl	Print the request as a curl command' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        show) listed=('--json	Print one JSON document' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        convert) listed=('--size	Pixels, or a ratio, for --fit' '-s	Pixels, or a ratio, for --fit' '--output	File, folder/, template ('"'"'{name}-small.{avif,webp}'"'"'), or - for stdout' '-o	File, folder/, template ('"'"'{name}-small.{avif,webp}'"'"'), or - for stdout' '--output-format	png, jpeg, gif, webp, avif' '--format	png, jpeg, gif, webp, avif' '-f	png, jpeg, gif, webp, avif' '--output-compression	Quality of lossy files' '--quality	Quality of lossy files' '-q	Quality of lossy files' '--overwrite	Replace existing files' '--skip-existing	Keep existing files and make only the missing ones' '--json	Print one JSON document' '--quiet	Print nothing but results and errors' '--verbose	Show the causes of errors' '-v	Show the causes of errors' '--fit	Make files of exactly --size' '--focus	What --fit cover keeps' '--upscale	Allow files larger than the image' '--width	Write a variant of this width' '--max-bytes	Reduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB' '--lossless	Keep every pixel unchanged' '--effort	Time spent on reducing file size' '--keep-original	Also save the image as received' '--html	Print a <picture> element instead of the paths' '--alt	Alternative text for --html' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        sizes) listed=('--model	Model' '-m	Model' '--json	Print one JSON document' '--plain	Print only sizes, such as 1365x768' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        models) listed=('--json	Print one JSON document' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        providers) listed=('--model	Model' '-m	Model' '--json	Print one JSON document' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        runs) listed=('--json	Print one JSON document' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        recover) listed=('--json	Print one JSON document' '--verbose	Show the causes of errors' '-v	Show the causes of errors' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        schema) listed=('--help	Show this message and exit' '-h	Show this message and exit') ;;
        completion) listed=('--help	Show this message and exit' '-h	Show this message and exit') ;;
        help) listed=('--help	Show this message and exit' '-h	Show this message and exit') ;;
        config) listed=('--json	Print one JSON document' '--help	Show this message and exit' '-h	Show this message and exit') ;;
        'config path') listed=('--help	Show this message and exit' '-h	Show this message and exit') ;;
    esac
}

_flux_arguments() {  # what can stand in this place of a command
    case $1 in
        /0) listed=('generate	Generate images from a prompt' 'resolve	Show what would be sent, and why' 'show	Show image details and how images were made' 'convert	Convert images: change format, resize, crop, compress' 'sizes	Show a model'"'"'s sizes, or the closest one' 'models	List the models in the catalog' 'providers	List image providers' 'runs	List earlier runs' 'recover	Recover images that were paid for but not saved' 'schema	Print the JSON Schema of the documents that --json prints' 'completion	Print the completion script for a shell' 'help	Explain a topic or a command' 'config	Show every setting and where it comes from') ;;
        generate/*) listed=('@<files>') ;;
        resolve/*) listed=('@<files>') ;;
        show/*) listed=('<files>') ;;
        convert/*) listed=('<files>') ;;
        sizes/0) listed=(4:3 4:5 5:4 1:1 3:4 2:3 3:2 9:16 16:9 9:21 21:9 1183x887 916x1145 1145x916 1024x1024 887x1182 836x1254 1254x836 768x1365 1365x768 670x1564 1563x670) ;;
        models/0) listed=(flux1.1-pro flux1.1-pro-ultra) ;;
        providers/0) listed=(lumenfall bfl fal replicate openai openai.com together localai sdcpp vllm sglang offline) ;;
        schema/0) listed=(generate resolve sizes models providers config runs recover show convert) ;;
        completion/0) listed=(bash zsh fish powershell) ;;
        help/0) listed=(sizes formats exit-codes environment names generate resolve show convert models providers runs recover schema completion help config) ;;
        config/0) listed=('path	Print the path of your settings file, whether it exists or not') ;;
    esac
}

_flux_option() {  # into `flag` the option of a word, that may have its value in it; into `glue` all up to the value
    flag='' glue=''
    case $1 in
        --*=*) flag=${1%%=*} glue=${1%%=*}= ;;
        --*) flag=$1 glue=$1 ;;
        -*[sarmnpofq]*) glue=${1%%[sarmnpofq]*} flag=-${1:${#glue}:1} glue+=${flag#-} ;;
    esac
}

_flux_split() {  # a line into `words` without their quotes; into `quote` one that is still open
    # Readline puts what is found in the place of its own idea of the word: what stands before that goes into `before`.
    # `into` is the sign of a redirection, if the last word is where it leads.
    local rest=${1#"${1%%[![:space:]]*}"} run char last=0 outside=''
    while true; do
        run=${rest%%[\\\"\'\<\>[:space:]"${COMP_WORDBREAKS-}"]*}
        words[last]+=$run rest=${rest#"$run"}
        [[ -n $rest ]] || return 0
        char=${rest:0:1} rest=${rest:1}
        case $quote$char in
            \\ | \"\\ | \$\\) words[last]+=${rest:0:1} rest=${rest:1} ;;
            \' | \")
                quote=$char outside=$before before=${words[last]}
                if [[ $char == \' && $run == *\$ ]]; then quote=\$; fi ;;
            \'\' | \"\" | \$\') quote='' before=$outside ;;
            [[:space:]])
                [[ $before == "${words[last]}" ]] || into=''
                last=$((last + 1)) rest=${rest#"${rest%%[![:space:]]*}"} before=''
                words[last]='' ;;
            @ | \$) before=${words[last]} into='' words[last]+=$char ;;
            ?) words[last]+=$char before=${words[last]} into=${char//[!<>]/} ;;
            *) words[last]+=$char ;;
        esac
    done
}

_flux() {
    local words=('') quote='' before='' into=''
    COMPREPLY=()
    _flux_split "${COMP_LINE:0:COMP_POINT}"

    local last=$((${#words[@]} - 1))
    local place word command='' count=0 flag='' glue='' dashes='' listed=()
    for ((place = 1; place < last; place++)); do
        word=${words[place]}
        if [[ -n $flag ]]; then
            flag=''
        elif [[ -z $dashes && $word == -- ]]; then
            dashes=$word
        elif [[ -z $dashes && $word == -?* ]]; then
            _flux_option "$word"
            [[ $glue == "$word" && $word != *= ]] && _flux_values "$flag" || flag=''
        else
            case $command/$count/$word in
                /0/generate | /0/resolve | /0/show | /0/convert | /0/sizes | /0/models | /0/providers | /0/runs | /0/recover | /0/schema | /0/completion | /0/help | /0/config | config/0/path) command=${command:+$command }$word ;;
                *) count=$((count + 1)) ;;
            esac
        fi
    done

    local typed=${words[last]}
    listed=()
    if [[ -n $flag$dashes ]]; then
        glue=''
    else
        _flux_option "$typed"
        if [[ $glue == "$typed" && $typed != *= ]]; then flag='' glue=''; fi
    fi
    if [[ -n $into ]]; then
        listed=('<files>') glue=$before
    elif [[ -n $flag ]]; then
        _flux_values "$flag"
    elif [[ -z $dashes && $typed == -* ]]; then
        if [[ -z $quote ]]; then _flux_options "$command"; fi
    else
        _flux_arguments "$command/$count"
    fi

    if [[ ${listed[0]-} == '@<files>' ]]; then
        [[ $typed == @* ]] || return 0
        glue+=@ listed=('<files>')
    fi
    typed=${typed#"$glue"}
    if [[ ${listed[0]-} == '<files>' ]]; then
        if [[ $glue == "$before" ]]; then  # readline's word is the whole name: it does that best
            compopt -o bashdefault -o default 2> /dev/null || true
            return 0
        fi
        listed=()
        while IFS= read -r word; do
            if [[ -d $word ]]; then
                word+=/
                compopt -o nospace 2> /dev/null || true
            fi
            listed+=("$word")
        done < <(compgen -f -- "$typed")
    fi

    local row
    for row in "${listed[@]-}"; do
        [[ $row == "$typed"* && -n $row ]] || continue
        word=$glue${row%%$'\t'*}
        word=${word#"$before"}
        if [[ -z $quote ]]; then
            if [[ $word == *[!0-9A-Za-z:=./@_-]* ]]; then printf -v word %q "$word"; fi
        elif [[ $word == *[\"\'\`\$\\]* ]]; then
            continue
        fi
        # A second TAB lists; what is listed is not typed, so it can explain itself.
        if [[ ${COMP_TYPE-} == 63 && $row == *$'\t'* ]]; then word+="  (${row#*$'\t'})"; fi
        COMPREPLY+=("$word")
    done
}

if type compopt > /dev/null 2>&1; then
    complete -F _flux flux flux-image
else  # before bash 4: files wherever nothing else is known
    complete -o bashdefault -o default -F _flux flux flux-image
fi
