# Made by scripts/generate: change that, not this.

# Whether this command stands before the cursor, and where a number follows, whether that many arguments do.
function __flux_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l command ''
    set -l count 0
    set -l awaited no
    set -l dashes no
    for word in $words
        if test $awaited = yes
            set awaited no
        else if test $dashes = no; and string match -q -- -- $word
            set dashes yes
        else if test $dashes = no; and string match -qr -- '^-.' $word
            string match -qr -- '^(--(size|aspect-ratio|resolution|model|route|n|seed|image-prompt|image-prompt-strength|safety-tolerance|response-format|like|param|output|output-format|format|output-compression|quality|sheet-output|concurrency|timeout|retries|max-cost|progress|log-file|provider|base-url|fit|focus|width|max-bytes|effort|alt)|-[^-sarmnpofq]*[sarmnpofq])$' $word; and set awaited yes
        else if contains -- $command/$count/$word '/0/generate' '/0/resolve' '/0/show' '/0/convert' '/0/sizes' '/0/models' '/0/providers' '/0/runs' '/0/recover' '/0/schema' '/0/completion' '/0/help' '/0/config' 'config/0/path'
            set command (string trim -- "$command $word")
        else
            set count (math $count + 1)
        end
    end
    test "$command" = "$argv[1]"; and contains -- "$argv[2]" '' $count
end

# Files behind what this expression matches, such as an @; each behind these words.
function __flux_files
    set -l parts (string match -r "^([\"']?)$argv[1](.*)" -- (commandline -ct)); or return
    printf "$argv[2]%s\t\n" (complete -C "__fish_command_without_completions $parts[2]$parts[3]")
end

complete -c flux -f
complete -c flux -n "__flux_at ''" -l version -s V -d 'Show the version'
complete -c flux -n "__flux_at ''" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at '' '0'" -a generate -d 'Generate images from a prompt'
complete -c flux -n "__flux_at '' '0'" -a resolve -d 'Show what would be sent, and why'
complete -c flux -n "__flux_at '' '0'" -a show -d 'Show image details and how images were made'
complete -c flux -n "__flux_at '' '0'" -a convert -d 'Convert images: change format, resize, crop, compress'
complete -c flux -n "__flux_at '' '0'" -a sizes -d 'Show a model\'s sizes, or the closest one'
complete -c flux -n "__flux_at '' '0'" -a models -d 'List the models in the catalog'
complete -c flux -n "__flux_at '' '0'" -a providers -d 'List image providers'
complete -c flux -n "__flux_at '' '0'" -a runs -d 'List earlier runs'
complete -c flux -n "__flux_at '' '0'" -a recover -d 'Recover images that were paid for but not saved'
complete -c flux -n "__flux_at '' '0'" -a schema -d 'Print the JSON Schema of the documents that --json prints'
complete -c flux -n "__flux_at '' '0'" -a completion -d 'Print the completion script for a shell'
complete -c flux -n "__flux_at '' '0'" -a help -d 'Explain a topic or a command'
complete -c flux -n "__flux_at '' '0'" -a config -d 'Show every setting and where it comes from'
complete -c flux -n "__flux_at 'generate'" -l size -s s -x -a '4:3\t 4:5\t 5:4\t 1:1\t 3:4\t 2:3\t 3:2\t 9:16\t 16:9\t 9:21\t 21:9\t 1183x887\t 916x1145\t 1145x916\t 1024x1024\t 887x1182\t 836x1254\t 1254x836\t 768x1365\t 1365x768\t 670x1564\t 1563x670\t' -d 'Pixels (1920x1080) or a ratio (16:9)'
complete -c flux -n "__flux_at 'generate'" -l aspect-ratio -s a -x -a '4:3\t 4:5\t 5:4\t 1:1\t 3:4\t 2:3\t 3:2\t 9:16\t 16:9\t 9:21\t 21:9\t' -d 'Ratio only'
complete -c flux -n "__flux_at 'generate'" -l resolution -s r -x -a '0.5K\t 1K\t 2K\t 4K\t' -d 'Scale only'
complete -c flux -n "__flux_at 'generate'" -l model -s m -x -a 'flux1.1-pro\t flux-pro-1.1\t flux1.1-pro-ultra\t flux-pro-1.1-ultra\t' -d 'Model'
complete -c flux -n "__flux_at 'generate'" -l route -x -a 'fal\t replicate\t' -d 'Force one upstream of the gateway'
complete -c flux -n "__flux_at 'generate'" -s n -l n -x -d 'Number of images, generated in parallel'
complete -c flux -n "__flux_at 'generate'" -l seed -x -d 'Seed for reproducible images'
complete -c flux -n "__flux_at 'generate'" -l raw -d 'Less processed, more natural-looking images'
complete -c flux -n "__flux_at 'generate'" -l no-raw -d 'Less processed, more natural-looking images'
complete -c flux -n "__flux_at 'generate'" -l enhance-prompt -d 'Let the provider enhance the prompt (fal)'
complete -c flux -n "__flux_at 'generate'" -l no-enhance-prompt -d 'Let the provider enhance the prompt (fal)'
complete -c flux -n "__flux_at 'generate'" -l image-prompt -r -F -a '(__flux_files "-[^-]")' -d 'Image that guides the composition'
complete -c flux -n "__flux_at 'generate'" -l image-prompt-strength -x -d 'How strongly the image prompt guides the result'
complete -c flux -n "__flux_at 'generate'" -l safety-tolerance -x -a '1\t 2\t 3\t 4\t 5\t 6\t' -d 'Moderation level'
complete -c flux -n "__flux_at 'generate'" -l response-format -x -a 'url\t b64_json\t' -d 'How the provider returns the image'
complete -c flux -n "__flux_at 'generate'" -l sync-mode -d 'Return a data URI and keep the image out of the request history (fal)'
complete -c flux -n "__flux_at 'generate'" -l no-sync-mode -d 'Return a data URI and keep the image out of the request history (fal)'
complete -c flux -n "__flux_at 'generate'" -l like -r -F -a '(__flux_files "-[^-]")' -d 'Reuse prompt, model, seed, size and parameters of an image'
complete -c flux -n "__flux_at 'generate'" -l param -s p -x -d 'Any other parameter, passed through'
complete -c flux -n "__flux_at 'generate'" -l output -s o -r -F -a '(__flux_files "-[^-]")' -d 'File (its suffix selects the format), folder/, template, or - for stdout'
complete -c flux -n "__flux_at 'generate'" -l output-format -l format -s f -x -a 'png\t jpeg\t gif\t webp\t avif\t' -d 'png, jpeg, gif, webp, avif'
complete -c flux -n "__flux_at 'generate'" -l output-compression -l quality -s q -x -d 'Quality of lossy files'
complete -c flux -n "__flux_at 'generate'" -l overwrite -d 'Replace existing files'
complete -c flux -n "__flux_at 'generate'" -l skip-existing -d 'Keep existing files and make only the missing ones'
complete -c flux -n "__flux_at 'generate'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'generate'" -l preview -d 'Show images in the terminal'
complete -c flux -n "__flux_at 'generate'" -l no-preview -d 'Show images in the terminal'
complete -c flux -n "__flux_at 'generate'" -l sheet -d 'Also save a contact sheet of all images'
complete -c flux -n "__flux_at 'generate'" -l sheet-output -r -F -a '(__flux_files "-[^-]")' -d 'Save the contact sheet under this name'
complete -c flux -n "__flux_at 'generate'" -l concurrency -x -d 'Requests in flight at once'
complete -c flux -n "__flux_at 'generate'" -l timeout -x -d 'Longest wait for one image'
complete -c flux -n "__flux_at 'generate'" -l retries -x -d 'Retries of requests that certainly had no effect'
complete -c flux -n "__flux_at 'generate'" -l dry-run -d 'Show requests, file names and cost'
complete -c flux -n "__flux_at 'generate'" -l max-cost -x -d 'Refuse to start a run that would cost more'
complete -c flux -n "__flux_at 'generate'" -l yes -s y -d 'With --max-cost'
complete -c flux -n "__flux_at 'generate'" -l quiet -d 'Print nothing but results and errors'
complete -c flux -n "__flux_at 'generate'" -l verbose -s v -d 'Show each step, request ids and the causes of errors'
complete -c flux -n "__flux_at 'generate'" -l progress -x -a 'auto\t plain\t none\t' -d 'How progress is shown'
complete -c flux -n "__flux_at 'generate'" -l log-file -r -F -a '(__flux_files "-[^-]")' -d 'Append every step to a file, one JSON object per line'
complete -c flux -n "__flux_at 'generate'" -l provider -x -a 'lumenfall\t bfl\t fal\t replicate\t openai\t openai.com\t together\t localai\t sdcpp\t vllm\t sglang\t offline\t' -d 'Provider'
complete -c flux -n "__flux_at 'generate'" -l base-url -x -d 'Base URL of an OpenAI-compatible server, including /v1'
complete -c flux -n "__flux_at 'generate'" -l no-key -d 'Send no API key, for servers that need none'
complete -c flux -n "__flux_at 'generate'" -l offline -d 'Draw a local sketch instead'
complete -c flux -n "__flux_at 'generate'" -l no-badge -d 'Leave the badge out of an offline sketch'
complete -c flux -n "__flux_at 'generate'" -l fit -x -a 'none\t cover\t contain\t exact\t' -d 'Make files of exactly --size'
complete -c flux -n "__flux_at 'generate'" -l focus -x -a 'center\t top\t bottom\t left\t right\t entropy\t attention\t' -d 'What --fit cover keeps'
complete -c flux -n "__flux_at 'generate'" -l upscale -d 'Allow files larger than the image'
complete -c flux -n "__flux_at 'generate'" -l width -x -d 'Write a variant of this width'
complete -c flux -n "__flux_at 'generate'" -l max-bytes -x -d 'Reduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB'
complete -c flux -n "__flux_at 'generate'" -l lossless -d 'Keep every pixel unchanged'
complete -c flux -n "__flux_at 'generate'" -l effort -x -a 'fast\t balanced\t small\t' -d 'Time spent on reducing file size'
complete -c flux -n "__flux_at 'generate'" -l keep-original -d 'Also save the image as received'
complete -c flux -n "__flux_at 'generate'" -l html -d 'Print a <picture> element instead of the paths'
complete -c flux -n "__flux_at 'generate'" -l no-metadata -d 'Write no metadata'
complete -c flux -n "__flux_at 'generate'" -l no-prompt-metadata -d 'Write metadata without the prompt'
complete -c flux -n "__flux_at 'generate'" -l sidecar -d 'Write the metadata into a .json file beside the image'
complete -c flux -n "__flux_at 'generate'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'generate'" -a '(__flux_files @ @)'
complete -c flux -n "__flux_at 'resolve'" -l size -s s -x -a '4:3\t 4:5\t 5:4\t 1:1\t 3:4\t 2:3\t 3:2\t 9:16\t 16:9\t 9:21\t 21:9\t 1183x887\t 916x1145\t 1145x916\t 1024x1024\t 887x1182\t 836x1254\t 1254x836\t 768x1365\t 1365x768\t 670x1564\t 1563x670\t' -d 'Pixels (1920x1080) or a ratio (16:9)'
complete -c flux -n "__flux_at 'resolve'" -l aspect-ratio -s a -x -a '4:3\t 4:5\t 5:4\t 1:1\t 3:4\t 2:3\t 3:2\t 9:16\t 16:9\t 9:21\t 21:9\t' -d 'Ratio only'
complete -c flux -n "__flux_at 'resolve'" -l resolution -s r -x -a '0.5K\t 1K\t 2K\t 4K\t' -d 'Scale only'
complete -c flux -n "__flux_at 'resolve'" -l model -s m -x -a 'flux1.1-pro\t flux-pro-1.1\t flux1.1-pro-ultra\t flux-pro-1.1-ultra\t' -d 'Model'
complete -c flux -n "__flux_at 'resolve'" -l route -x -a 'fal\t replicate\t' -d 'Force one upstream of the gateway'
complete -c flux -n "__flux_at 'resolve'" -s n -l n -x -d 'Number of images, generated in parallel'
complete -c flux -n "__flux_at 'resolve'" -l seed -x -d 'Seed for reproducible images'
complete -c flux -n "__flux_at 'resolve'" -l raw -d 'Less processed, more natural-looking images'
complete -c flux -n "__flux_at 'resolve'" -l no-raw -d 'Less processed, more natural-looking images'
complete -c flux -n "__flux_at 'resolve'" -l enhance-prompt -d 'Let the provider enhance the prompt (fal)'
complete -c flux -n "__flux_at 'resolve'" -l no-enhance-prompt -d 'Let the provider enhance the prompt (fal)'
complete -c flux -n "__flux_at 'resolve'" -l image-prompt -r -F -a '(__flux_files "-[^-]")' -d 'Image that guides the composition'
complete -c flux -n "__flux_at 'resolve'" -l image-prompt-strength -x -d 'How strongly the image prompt guides the result'
complete -c flux -n "__flux_at 'resolve'" -l safety-tolerance -x -a '1\t 2\t 3\t 4\t 5\t 6\t' -d 'Moderation level'
complete -c flux -n "__flux_at 'resolve'" -l response-format -x -a 'url\t b64_json\t' -d 'How the provider returns the image'
complete -c flux -n "__flux_at 'resolve'" -l sync-mode -d 'Return a data URI and keep the image out of the request history (fal)'
complete -c flux -n "__flux_at 'resolve'" -l no-sync-mode -d 'Return a data URI and keep the image out of the request history (fal)'
complete -c flux -n "__flux_at 'resolve'" -l like -r -F -a '(__flux_files "-[^-]")' -d 'Reuse prompt, model, seed, size and parameters of an image'
complete -c flux -n "__flux_at 'resolve'" -l param -s p -x -d 'Any other parameter, passed through'
complete -c flux -n "__flux_at 'resolve'" -l output -s o -r -F -a '(__flux_files "-[^-]")' -d 'File (its suffix selects the format), folder/, template, or - for stdout'
complete -c flux -n "__flux_at 'resolve'" -l output-format -l format -s f -x -a 'png\t jpeg\t gif\t webp\t avif\t' -d 'png, jpeg, gif, webp, avif'
complete -c flux -n "__flux_at 'resolve'" -l output-compression -l quality -s q -x -d 'Quality of lossy files'
complete -c flux -n "__flux_at 'resolve'" -l overwrite -d 'Replace existing files'
complete -c flux -n "__flux_at 'resolve'" -l skip-existing -d 'Keep existing files and make only the missing ones'
complete -c flux -n "__flux_at 'resolve'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'resolve'" -l preview -d 'Show images in the terminal'
complete -c flux -n "__flux_at 'resolve'" -l no-preview -d 'Show images in the terminal'
complete -c flux -n "__flux_at 'resolve'" -l sheet -d 'Also save a contact sheet of all images'
complete -c flux -n "__flux_at 'resolve'" -l sheet-output -r -F -a '(__flux_files "-[^-]")' -d 'Save the contact sheet under this name'
complete -c flux -n "__flux_at 'resolve'" -l concurrency -x -d 'Requests in flight at once'
complete -c flux -n "__flux_at 'resolve'" -l timeout -x -d 'Longest wait for one image'
complete -c flux -n "__flux_at 'resolve'" -l retries -x -d 'Retries of requests that certainly had no effect'
complete -c flux -n "__flux_at 'resolve'" -l dry-run -d 'Show requests, file names and cost'
complete -c flux -n "__flux_at 'resolve'" -l max-cost -x -d 'Refuse to start a run that would cost more'
complete -c flux -n "__flux_at 'resolve'" -l yes -s y -d 'With --max-cost'
complete -c flux -n "__flux_at 'resolve'" -l quiet -d 'Print nothing but results and errors'
complete -c flux -n "__flux_at 'resolve'" -l verbose -s v -d 'Show each step, request ids and the causes of errors'
complete -c flux -n "__flux_at 'resolve'" -l progress -x -a 'auto\t plain\t none\t' -d 'How progress is shown'
complete -c flux -n "__flux_at 'resolve'" -l log-file -r -F -a '(__flux_files "-[^-]")' -d 'Append every step to a file, one JSON object per line'
complete -c flux -n "__flux_at 'resolve'" -l provider -x -a 'lumenfall\t bfl\t fal\t replicate\t openai\t openai.com\t together\t localai\t sdcpp\t vllm\t sglang\t offline\t' -d 'Provider'
complete -c flux -n "__flux_at 'resolve'" -l base-url -x -d 'Base URL of an OpenAI-compatible server, including /v1'
complete -c flux -n "__flux_at 'resolve'" -l no-key -d 'Send no API key, for servers that need none'
complete -c flux -n "__flux_at 'resolve'" -l offline -d 'Draw a local sketch instead'
complete -c flux -n "__flux_at 'resolve'" -l no-badge -d 'Leave the badge out of an offline sketch'
complete -c flux -n "__flux_at 'resolve'" -l fit -x -a 'none\t cover\t contain\t exact\t' -d 'Make files of exactly --size'
complete -c flux -n "__flux_at 'resolve'" -l focus -x -a 'center\t top\t bottom\t left\t right\t entropy\t attention\t' -d 'What --fit cover keeps'
complete -c flux -n "__flux_at 'resolve'" -l upscale -d 'Allow files larger than the image'
complete -c flux -n "__flux_at 'resolve'" -l width -x -d 'Write a variant of this width'
complete -c flux -n "__flux_at 'resolve'" -l max-bytes -x -d 'Reduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB'
complete -c flux -n "__flux_at 'resolve'" -l lossless -d 'Keep every pixel unchanged'
complete -c flux -n "__flux_at 'resolve'" -l effort -x -a 'fast\t balanced\t small\t' -d 'Time spent on reducing file size'
complete -c flux -n "__flux_at 'resolve'" -l keep-original -d 'Also save the image as received'
complete -c flux -n "__flux_at 'resolve'" -l html -d 'Print a <picture> element instead of the paths'
complete -c flux -n "__flux_at 'resolve'" -l no-metadata -d 'Write no metadata'
complete -c flux -n "__flux_at 'resolve'" -l no-prompt-metadata -d 'Write metadata without the prompt'
complete -c flux -n "__flux_at 'resolve'" -l sidecar -d 'Write the metadata into a .json file beside the image'
complete -c flux -n "__flux_at 'resolve'" -l curl -d 'Print the request as a curl command'
complete -c flux -n "__flux_at 'resolve'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'resolve'" -a '(__flux_files @ @)'
complete -c flux -n "__flux_at 'show'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'show'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'show'" -F
complete -c flux -n "__flux_at 'convert'" -l size -s s -x -a '4:3\t 4:5\t 5:4\t 1:1\t 3:4\t 2:3\t 3:2\t 9:16\t 16:9\t 9:21\t 21:9\t 1183x887\t 916x1145\t 1145x916\t 1024x1024\t 887x1182\t 836x1254\t 1254x836\t 768x1365\t 1365x768\t 670x1564\t 1563x670\t' -d 'Pixels, or a ratio, for --fit'
complete -c flux -n "__flux_at 'convert'" -l output -s o -r -F -a '(__flux_files "-[^-]")' -d 'File, folder/, template (\'{name}-small.{avif,webp}\'), or - for stdout'
complete -c flux -n "__flux_at 'convert'" -l output-format -l format -s f -x -a 'png\t jpeg\t gif\t webp\t avif\t' -d 'png, jpeg, gif, webp, avif'
complete -c flux -n "__flux_at 'convert'" -l output-compression -l quality -s q -x -d 'Quality of lossy files'
complete -c flux -n "__flux_at 'convert'" -l overwrite -d 'Replace existing files'
complete -c flux -n "__flux_at 'convert'" -l skip-existing -d 'Keep existing files and make only the missing ones'
complete -c flux -n "__flux_at 'convert'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'convert'" -l quiet -d 'Print nothing but results and errors'
complete -c flux -n "__flux_at 'convert'" -l verbose -s v -d 'Show the causes of errors'
complete -c flux -n "__flux_at 'convert'" -l fit -x -a 'none\t cover\t contain\t exact\t' -d 'Make files of exactly --size'
complete -c flux -n "__flux_at 'convert'" -l focus -x -a 'center\t top\t bottom\t left\t right\t entropy\t attention\t' -d 'What --fit cover keeps'
complete -c flux -n "__flux_at 'convert'" -l upscale -d 'Allow files larger than the image'
complete -c flux -n "__flux_at 'convert'" -l width -x -d 'Write a variant of this width'
complete -c flux -n "__flux_at 'convert'" -l max-bytes -x -d 'Reduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB'
complete -c flux -n "__flux_at 'convert'" -l lossless -d 'Keep every pixel unchanged'
complete -c flux -n "__flux_at 'convert'" -l effort -x -a 'fast\t balanced\t small\t' -d 'Time spent on reducing file size'
complete -c flux -n "__flux_at 'convert'" -l keep-original -d 'Also save the image as received'
complete -c flux -n "__flux_at 'convert'" -l html -d 'Print a <picture> element instead of the paths'
complete -c flux -n "__flux_at 'convert'" -l alt -x -d 'Alternative text for --html'
complete -c flux -n "__flux_at 'convert'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'convert'" -F
complete -c flux -n "__flux_at 'sizes'" -l model -s m -x -a 'flux1.1-pro\t flux-pro-1.1\t flux1.1-pro-ultra\t flux-pro-1.1-ultra\t' -d 'Model'
complete -c flux -n "__flux_at 'sizes'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'sizes'" -l plain -d 'Print only sizes, such as 1365x768'
complete -c flux -n "__flux_at 'sizes'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'sizes' '0'" -a 4:3
complete -c flux -n "__flux_at 'sizes' '0'" -a 4:5
complete -c flux -n "__flux_at 'sizes' '0'" -a 5:4
complete -c flux -n "__flux_at 'sizes' '0'" -a 1:1
complete -c flux -n "__flux_at 'sizes' '0'" -a 3:4
complete -c flux -n "__flux_at 'sizes' '0'" -a 2:3
complete -c flux -n "__flux_at 'sizes' '0'" -a 3:2
complete -c flux -n "__flux_at 'sizes' '0'" -a 9:16
complete -c flux -n "__flux_at 'sizes' '0'" -a 16:9
complete -c flux -n "__flux_at 'sizes' '0'" -a 9:21
complete -c flux -n "__flux_at 'sizes' '0'" -a 21:9
complete -c flux -n "__flux_at 'sizes' '0'" -a 1183x887
complete -c flux -n "__flux_at 'sizes' '0'" -a 916x1145
complete -c flux -n "__flux_at 'sizes' '0'" -a 1145x916
complete -c flux -n "__flux_at 'sizes' '0'" -a 1024x1024
complete -c flux -n "__flux_at 'sizes' '0'" -a 887x1182
complete -c flux -n "__flux_at 'sizes' '0'" -a 836x1254
complete -c flux -n "__flux_at 'sizes' '0'" -a 1254x836
complete -c flux -n "__flux_at 'sizes' '0'" -a 768x1365
complete -c flux -n "__flux_at 'sizes' '0'" -a 1365x768
complete -c flux -n "__flux_at 'sizes' '0'" -a 670x1564
complete -c flux -n "__flux_at 'sizes' '0'" -a 1563x670
complete -c flux -n "__flux_at 'models'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'models'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'models' '0'" -a flux1.1-pro
complete -c flux -n "__flux_at 'models' '0'" -a flux1.1-pro-ultra
complete -c flux -n "__flux_at 'providers'" -l model -s m -x -a 'flux1.1-pro\t flux-pro-1.1\t flux1.1-pro-ultra\t flux-pro-1.1-ultra\t' -d 'Model'
complete -c flux -n "__flux_at 'providers'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'providers'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'providers' '0'" -a lumenfall
complete -c flux -n "__flux_at 'providers' '0'" -a bfl
complete -c flux -n "__flux_at 'providers' '0'" -a fal
complete -c flux -n "__flux_at 'providers' '0'" -a replicate
complete -c flux -n "__flux_at 'providers' '0'" -a openai
complete -c flux -n "__flux_at 'providers' '0'" -a openai.com
complete -c flux -n "__flux_at 'providers' '0'" -a together
complete -c flux -n "__flux_at 'providers' '0'" -a localai
complete -c flux -n "__flux_at 'providers' '0'" -a sdcpp
complete -c flux -n "__flux_at 'providers' '0'" -a vllm
complete -c flux -n "__flux_at 'providers' '0'" -a sglang
complete -c flux -n "__flux_at 'providers' '0'" -a offline
complete -c flux -n "__flux_at 'runs'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'runs'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'recover'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'recover'" -l verbose -s v -d 'Show the causes of errors'
complete -c flux -n "__flux_at 'recover'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'schema'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'schema' '0'" -a generate
complete -c flux -n "__flux_at 'schema' '0'" -a resolve
complete -c flux -n "__flux_at 'schema' '0'" -a sizes
complete -c flux -n "__flux_at 'schema' '0'" -a models
complete -c flux -n "__flux_at 'schema' '0'" -a providers
complete -c flux -n "__flux_at 'schema' '0'" -a config
complete -c flux -n "__flux_at 'schema' '0'" -a runs
complete -c flux -n "__flux_at 'schema' '0'" -a recover
complete -c flux -n "__flux_at 'schema' '0'" -a show
complete -c flux -n "__flux_at 'schema' '0'" -a convert
complete -c flux -n "__flux_at 'completion'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'completion' '0'" -a bash
complete -c flux -n "__flux_at 'completion' '0'" -a zsh
complete -c flux -n "__flux_at 'completion' '0'" -a fish
complete -c flux -n "__flux_at 'completion' '0'" -a powershell
complete -c flux -n "__flux_at 'help'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'help' '0'" -a sizes
complete -c flux -n "__flux_at 'help' '0'" -a formats
complete -c flux -n "__flux_at 'help' '0'" -a exit-codes
complete -c flux -n "__flux_at 'help' '0'" -a environment
complete -c flux -n "__flux_at 'help' '0'" -a names
complete -c flux -n "__flux_at 'help' '0'" -a generate
complete -c flux -n "__flux_at 'help' '0'" -a resolve
complete -c flux -n "__flux_at 'help' '0'" -a show
complete -c flux -n "__flux_at 'help' '0'" -a convert
complete -c flux -n "__flux_at 'help' '0'" -a models
complete -c flux -n "__flux_at 'help' '0'" -a providers
complete -c flux -n "__flux_at 'help' '0'" -a runs
complete -c flux -n "__flux_at 'help' '0'" -a recover
complete -c flux -n "__flux_at 'help' '0'" -a schema
complete -c flux -n "__flux_at 'help' '0'" -a completion
complete -c flux -n "__flux_at 'help' '0'" -a help
complete -c flux -n "__flux_at 'help' '0'" -a config
complete -c flux -n "__flux_at 'config'" -l json -d 'Print one JSON document'
complete -c flux -n "__flux_at 'config'" -l help -s h -d 'Show this message and exit'
complete -c flux -n "__flux_at 'config' '0'" -a path -d 'Print the path of your settings file, whether it exists or not'
complete -c flux -n "__flux_at 'config path'" -l help -s h -d 'Show this message and exit'
complete -c flux-image -w flux
