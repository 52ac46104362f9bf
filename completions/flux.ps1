# Made by scripts/generate: change that, not this.

Register-ArgumentCompleter -Native -CommandName flux, flux-image -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $values = @{
        '--size' = @("4:3", "4:5", "5:4", "1:1", "3:4", "2:3", "3:2", "9:16", "16:9", "9:21", "21:9", "1183x887", "916x1145", "1145x916", "1024x1024", "887x1182", "836x1254", "1254x836", "768x1365", "1365x768", "670x1564", "1563x670")
        '-s' = @("4:3", "4:5", "5:4", "1:1", "3:4", "2:3", "3:2", "9:16", "16:9", "9:21", "21:9", "1183x887", "916x1145", "1145x916", "1024x1024", "887x1182", "836x1254", "1254x836", "768x1365", "1365x768", "670x1564", "1563x670")
        '--aspect-ratio' = @("4:3", "4:5", "5:4", "1:1", "3:4", "2:3", "3:2", "9:16", "16:9", "9:21", "21:9")
        '-a' = @("4:3", "4:5", "5:4", "1:1", "3:4", "2:3", "3:2", "9:16", "16:9", "9:21", "21:9")
        '--resolution' = @("0.5K", "1K", "2K", "4K")
        '-r' = @("0.5K", "1K", "2K", "4K")
        '--model' = @("flux1.1-pro", "flux-pro-1.1", "flux1.1-pro-ultra", "flux-pro-1.1-ultra")
        '-m' = @("flux1.1-pro", "flux-pro-1.1", "flux1.1-pro-ultra", "flux-pro-1.1-ultra")
        '--route' = @("fal", "replicate")
        '--image-prompt' = @("<files>")
        '--safety-tolerance' = @("1", "2", "3", "4", "5", "6")
        '--response-format' = @("url", "b64_json")
        '--like' = @("<files>")
        '--output' = @("<files>")
        '-o' = @("<files>")
        '--output-format' = @("png", "jpeg", "gif", "webp", "avif")
        '--format' = @("png", "jpeg", "gif", "webp", "avif")
        '-f' = @("png", "jpeg", "gif", "webp", "avif")
        '--sheet-output' = @("<files>")
        '--progress' = @("auto", "plain", "none")
        '--log-file' = @("<files>")
        '--provider' = @("lumenfall", "bfl", "fal", "replicate", "openai", "openai.com", "together", "localai", "sdcpp", "vllm", "sglang", "offline")
        '--fit' = @("none", "cover", "contain", "exact")
        '--focus' = @("center", "top", "bottom", "left", "right", "entropy", "attention")
        '--effort' = @("fast", "balanced", "small")
    }
    $options = @{
        '' = @("--version`tShow the version", "-V`tShow the version", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'generate' = @("--size`tPixels (1920x1080) or a ratio (16:9)", "-s`tPixels (1920x1080) or a ratio (16:9)", "--aspect-ratio`tRatio only", "-a`tRatio only", "--resolution`tScale only", "-r`tScale only", "--model`tModel", "-m`tModel", "--route`tForce one upstream of the gateway", "-n`tNumber of images, generated in parallel", "--n`tNumber of images, generated in parallel", "--seed`tSeed for reproducible images", "--raw`tLess processed, more natural-looking images", "--no-raw`tLess processed, more natural-looking images", "--enhance-prompt`tLet the provider enhance the prompt (fal)", "--no-enhance-prompt`tLet the provider enhance the prompt (fal)", "--image-prompt`tImage that guides the composition", "--image-prompt-strength`tHow strongly the image prompt guides the result", "--safety-tolerance`tModeration level", "--response-format`tHow the provider returns the image", "--sync-mode`tReturn a data URI and keep the image out of the request history (fal)", "--no-sync-mode`tReturn a data URI and keep the image out of the request history (fal)", "--like`tReuse prompt, model, seed, size and parameters of an image", "--param`tAny other parameter, passed through", "-p`tAny other parameter, passed through", "--output`tFile (its suffix selects the format), folder/, template, or - for stdout", "-o`tFile (its suffix selects the format), folder/, template, or - for stdout", "--output-format`tpng, jpeg, gif, webp, avif", "--format`tpng, jpeg, gif, webp, avif", "-f`tpng, jpeg, gif, webp, avif", "--output-compression`tQuality of lossy files", "--quality`tQuality of lossy files", "-q`tQuality of lossy files", "--overwrite`tReplace existing files", "--skip-existing`tKeep existing files and make only the missing ones", "--json`tPrint one JSON document", "--preview`tShow images in the terminal", "--no-preview`tShow images in the terminal", "--sheet`tAlso save a contact sheet of all images", "--sheet-output`tSave the contact sheet under this name", "--concurrency`tRequests in flight at once", "--timeout`tLongest wait for one image", "--retries`tRetries of requests that certainly had no effect", "--dry-run`tShow requests, file names and cost", "--max-cost`tRefuse to start a run that would cost more", "--yes`tWith --max-cost", "-y`tWith --max-cost", "--quiet`tPrint nothing but results and errors", "--verbose`tShow each step, request ids and the causes of errors", "-v`tShow each step, request ids and the causes of errors", "--progress`tHow progress is shown", "--log-file`tAppend every step to a file, one JSON object per line", "--provider`tProvider", "--base-url`tBase URL of an OpenAI-compatible server, including /v1", "--no-key`tSend no API key, for servers that need none", "--offline`tDraw a local sketch instead", "--no-badge`tLeave the badge out of an offline sketch", "--fit`tMake files of exactly --size", "--focus`tWhat --fit cover keeps", "--upscale`tAllow files larger than the image", "--width`tWrite a variant of this width", "--max-bytes`tReduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB", "--lossless`tKeep every pixel unchanged", "--effort`tTime spent on reducing file size", "--keep-original`tAlso save the image as received", "--html`tPrint a <picture> element instead of the paths", "--no-metadata`tWrite no metadata", "--no-prompt-metadata`tWrite metadata without the prompt", "--sidecar`tWrite the metadata into a .json file beside the image", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'resolve' = @("--size`tPixels (1920x1080) or a ratio (16:9)", "-s`tPixels (1920x1080) or a ratio (16:9)", "--aspect-ratio`tRatio only", "-a`tRatio only", "--resolution`tScale only", "-r`tScale only", "--model`tModel", "-m`tModel", "--route`tForce one upstream of the gateway", "-n`tNumber of images, generated in parallel", "--n`tNumber of images, generated in parallel", "--seed`tSeed for reproducible images", "--raw`tLess processed, more natural-looking images", "--no-raw`tLess processed, more natural-looking images", "--enhance-prompt`tLet the provider enhance the prompt (fal)", "--no-enhance-prompt`tLet the provider enhance the prompt (fal)", "--image-prompt`tImage that guides the composition", "--image-prompt-strength`tHow strongly the image prompt guides the result", "--safety-tolerance`tModeration level", "--response-format`tHow the provider returns the image", "--sync-mode`tReturn a data URI and keep the image out of the request history (fal)", "--no-sync-mode`tReturn a data URI and keep the image out of the request history (fal)", "--like`tReuse prompt, model, seed, size and parameters of an image", "--param`tAny other parameter, passed through", "-p`tAny other parameter, passed through", "--output`tFile (its suffix selects the format), folder/, template, or - for stdout", "-o`tFile (its suffix selects the format), folder/, template, or - for stdout", "--output-format`tpng, jpeg, gif, webp, avif", "--format`tpng, jpeg, gif, webp, avif", "-f`tpng, jpeg, gif, webp, avif", "--output-compression`tQuality of lossy files", "--quality`tQuality of lossy files", "-q`tQuality of lossy files", "--overwrite`tReplace existing files", "--skip-existing`tKeep existing files and make only the missing ones", "--json`tPrint one JSON document", "--preview`tShow images in the terminal", "--no-preview`tShow images in the terminal", "--sheet`tAlso save a contact sheet of all images", "--sheet-output`tSave the contact sheet under this name", "--concurrency`tRequests in flight at once", "--timeout`tLongest wait for one image", "--retries`tRetries of requests that certainly had no effect", "--dry-run`tShow requests, file names and cost", "--max-cost`tRefuse to start a run that would cost more", "--yes`tWith --max-cost", "-y`tWith --max-cost", "--quiet`tPrint nothing but results and errors", "--verbose`tShow each step, request ids and the causes of errors", "-v`tShow each step, request ids and the causes of errors", "--progress`tHow progress is shown", "--log-file`tAppend every step to a file, one JSON object per line", "--provider`tProvider", "--base-url`tBase URL of an OpenAI-compatible server, including /v1", "--no-key`tSend no API key, for servers that need none", "--offline`tDraw a local sketch instead", "--no-badge`tLeave the badge out of an offline sketch", "--fit`tMake files of exactly --size", "--focus`tWhat --fit cover keeps", "--upscale`tAllow files larger than the image", "--width`tWrite a variant of this width", "--max-bytes`tReduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB", "--lossless`tKeep every pixel unchanged", "--effort`tTime spent on reducing file size", "--keep-original`tAlso save the image as received", "--html`tPrint a <picture> element instead of the paths", "--no-metadata`tWrite no metadata", "--no-prompt-metadata`tWrite metadata without the prompt", "--sidecar`tWrite the metadata into a .json file beside the image", "--curl`tPrint the request as a curl command", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'show' = @("--json`tPrint one JSON document", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'convert' = @("--size`tPixels, or a ratio, for --fit", "-s`tPixels, or a ratio, for --fit", "--output`tFile, folder/, template ('{name}-small.{avif,webp}'), or - for stdout", "-o`tFile, folder/, template ('{name}-small.{avif,webp}'), or - for stdout", "--output-format`tpng, jpeg, gif, webp, avif", "--format`tpng, jpeg, gif, webp, avif", "-f`tpng, jpeg, gif, webp, avif", "--output-compression`tQuality of lossy files", "--quality`tQuality of lossy files", "-q`tQuality of lossy files", "--overwrite`tReplace existing files", "--skip-existing`tKeep existing files and make only the missing ones", "--json`tPrint one JSON document", "--quiet`tPrint nothing but results and errors", "--verbose`tShow the causes of errors", "-v`tShow the causes of errors", "--fit`tMake files of exactly --size", "--focus`tWhat --fit cover keeps", "--upscale`tAllow files larger than the image", "--width`tWrite a variant of this width", "--max-bytes`tReduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB", "--lossless`tKeep every pixel unchanged", "--effort`tTime spent on reducing file size", "--keep-original`tAlso save the image as received", "--html`tPrint a <picture> element instead of the paths", "--alt`tAlternative text for --html", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'sizes' = @("--model`tModel", "-m`tModel", "--json`tPrint one JSON document", "--plain`tPrint only sizes, such as 1365x768", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'models' = @("--json`tPrint one JSON document", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'providers' = @("--model`tModel", "-m`tModel", "--json`tPrint one JSON document", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'runs' = @("--json`tPrint one JSON document", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'recover' = @("--json`tPrint one JSON document", "--verbose`tShow the causes of errors", "-v`tShow the causes of errors", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'schema' = @("--help`tShow this message and exit", "-h`tShow this message and exit")
        'completion' = @("--help`tShow this message and exit", "-h`tShow this message and exit")
        'help' = @("--help`tShow this message and exit", "-h`tShow this message and exit")
        'config' = @("--json`tPrint one JSON document", "--help`tShow this message and exit", "-h`tShow this message and exit")
        'config path' = @("--help`tShow this message and exit", "-h`tShow this message and exit")
    }
    $arguments = @{
        '/0' = @("generate`tGenerate images from a prompt", "resolve`tShow what would be sent, and why", "show`tShow image details and how images were made", "convert`tConvert images: change format, resize, crop, compress", "sizes`tShow a model's sizes, or the closest one", "models`tList the models in the catalog", "providers`tList image providers", "runs`tList earlier runs", "recover`tRecover images that were paid for but not saved", "schema`tPrint the JSON Schema of the documents that --json prints", "completion`tPrint the completion script for a shell", "help`tExplain a topic or a command", "config`tShow every setting and where it comes from")
        'generate/*' = @("@<files>")
        'resolve/*' = @("@<files>")
        'show/*' = @("<files>")
        'convert/*' = @("<files>")
        'sizes/0' = @("4:3", "4:5", "5:4", "1:1", "3:4", "2:3", "3:2", "9:16", "16:9", "9:21", "21:9", "1183x887", "916x1145", "1145x916", "1024x1024", "887x1182", "836x1254", "1254x836", "768x1365", "1365x768", "670x1564", "1563x670")
        'models/0' = @("flux1.1-pro", "flux1.1-pro-ultra")
        'providers/0' = @("lumenfall", "bfl", "fal", "replicate", "openai", "openai.com", "together", "localai", "sdcpp", "vllm", "sglang", "offline")
        'schema/0' = @("generate", "resolve", "sizes", "models", "providers", "config", "runs", "recover", "show", "convert")
        'completion/0' = @("bash", "zsh", "fish", "powershell")
        'help/0' = @("sizes", "formats", "exit-codes", "environment", "names", "generate", "resolve", "show", "convert", "models", "providers", "runs", "recover", "schema", "completion", "help", "config")
        'config/0' = @("path`tPrint the path of your settings file, whether it exists or not")
    }
    $commands = @('/0/generate', '/0/resolve', '/0/show', '/0/convert', '/0/sizes', '/0/models', '/0/providers', '/0/runs', '/0/recover', '/0/schema', '/0/completion', '/0/help', '/0/config', 'config/0/path')
    $awaits = '^(--(size|aspect-ratio|resolution|model|route|n|seed|image-prompt|image-prompt-strength|safety-tolerance|response-format|like|param|output|output-format|format|output-compression|quality|sheet-output|concurrency|timeout|retries|max-cost|progress|log-file|provider|base-url|fit|focus|width|max-bytes|effort|alt)|-[^-sarmnpofq]*[sarmnpofq])$'
    $joined = '^(--[^=]+=|-[^-sarmnpofq]*[sarmnpofq])'
    $command, $count, $flag, $dashes = '', 0, '', $false
    foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        $word = $element.ToString().Trim("'", '"')
        if ($flag) { $flag = '' }
        elseif (-not $dashes -and $word -ceq '--') { $dashes = $true }
        elseif (-not $dashes -and $word -like '-?*') { if ($word -cmatch $awaits) { $flag = $word } }
        elseif ($commands -ccontains "$command/$count/$word") { $command = "$command $word".Trim() }
        else { $count++ }
    }
    $typed, $glue = $wordToComplete.TrimStart("'", '"'), ''
    if (-not $flag -and -not $dashes -and $typed -cmatch $joined) {
        if ($typed.EndsWith('=') -or $typed -cne $Matches[0]) { $glue, $flag = $Matches[0], $Matches[0].TrimEnd('=') }
    }
    if ($flag -like '--*') { $found = $values[$flag] }
    elseif ($flag) { $found = $values["-$($flag[-1])"] }
    elseif (-not $dashes -and $typed -like '-*') { $found = $options[$command] }
    else { $found = @($arguments["$command/$count"]) + @($arguments["$command/*"]) | Where-Object { $_ } }
    if ($found -ccontains '@<files>' -and $typed -like '@*') { $glue, $found = '@', '<files>' }
    $typed = $typed.Substring($glue.Length)
    if ($glue -and $found -ccontains '<files>') {
        foreach ($file in [System.Management.Automation.CompletionCompleters]::CompleteFilename($typed)) {
            $word, $about = $file.CompletionText.Trim("'"), $file.ToolTip
            [System.Management.Automation.CompletionResult]::new("'$glue$word'", $word, $file.ResultType, $about)
        }
        return
    }
    foreach ($row in $found) {
        $word, $about = $row -split "`t"
        if ($word -like '*<files>' -or $word -notlike ([WildcardPattern]::Escape($typed) + '*')) { continue }
        if (-not $about) { $about = $word }
        [System.Management.Automation.CompletionResult]::new("$glue$word", $word, 'ParameterValue', $about)
    }
}
