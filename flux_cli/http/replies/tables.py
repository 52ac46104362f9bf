"""What codes and words of error answers mean. Data only: `meaning` reads it.

Codes are compared without case and punctuation: `content_filter`, `contentFilter` and
`CONTENT_FILTER` are one code.
"""

from __future__ import annotations

from flux_cli.core.errors import (
    AuthError,
    FluxError,
    ModerationError,
    NotFoundError,
    PaymentError,
    ProviderError,
    RateError,
    ValidationError,
)

Kind = type[FluxError]

# Codes as they are, before parts of codes.
CODES: dict[str, Kind] = {
    "invalidrequest": ValidationError,  # Lumenfall; others write it in front of everything
    "safety": ModerationError,  # Google
    "recitation": ModerationError,
    "imageother": ModerationError,
    "imagesafety": ModerationError,
    "imageprohibitedcontent": ModerationError,
    "imagerecitation": ModerationError,
    "prohibitedcontent": ModerationError,
    "blocklist": ModerationError,
    "datainspectionfailed": ModerationError,  # Alibaba
    "responsibleaipolicyviolation": ModerationError,  # Azure
    "e005": ModerationError,  # Replicate
    "nomediagenerated": ProviderError,
    "allprovidersexhausted": ProviderError,  # Lumenfall: every upstream failed or refused
    "unsupportedcountryregionterritory": ProviderError,  # with 403, which is not about the key
    "notfound": NotFoundError,
    "recordingnotfound": NotFoundError,
}
# Parts of codes, the first that fits: `insufficient_user_quota` and `InsufficientQuotaError`.
PARTS_OF_CODES: tuple[tuple[str, Kind], ...] = (
    ("moderationblocked", ModerationError),
    ("moderationfailed", ModerationError),
    ("promptmoderation", ModerationError),
    ("contentmoderat", ModerationError),
    ("requestmoderated", ModerationError),
    ("contentpolic", ModerationError),
    ("contentfilter", ModerationError),
    ("contentviolation", ModerationError),
    ("policyviolation", ModerationError),
    ("sensitivecontent", ModerationError),
    ("contentsensitive", ModerationError),
    ("riskdetection", ModerationError),  # Volcengine
    ("nsfw", ModerationError),
    ("unsafe", ModerationError),
    ("safetysystem", ModerationError),
    ("safetyfilter", ModerationError),
    ("safetycheck", ModerationError),
    ("safetyviolation", ModerationError),
    ("flagged", ModerationError),
    ("insufficientquota", PaymentError),
    ("insufficientuserquota", PaymentError),  # one-api
    ("insufficientbalance", PaymentError),
    ("insufficientaccount", PaymentError),
    ("insufficientcredit", PaymentError),
    ("insufficientfund", PaymentError),
    ("notenoughcredit", PaymentError),
    ("notenoughbalance", PaymentError),
    ("outofcredit", PaymentError),
    ("creditsexhausted", PaymentError),
    ("balanceexhausted", PaymentError),
    ("exhaustedbalance", PaymentError),
    ("creditsdepleted", PaymentError),
    ("creditlimit", PaymentError),
    ("creditbalance", PaymentError),
    ("usagelimitexceeded", PaymentError),
    ("billing", PaymentError),
    ("budget", PaymentError),
    ("spendlimit", PaymentError),
    ("spendinglimit", PaymentError),
    ("spendingcap", PaymentError),
    ("payment", PaymentError),
    ("arrear", PaymentError),
    ("overdue", PaymentError),
    ("apikey", AuthError),
    ("invalidtoken", AuthError),
    ("tokeninvalid", AuthError),
    ("tokenexpired", AuthError),
    ("expiredtoken", AuthError),
    ("invalidcredential", AuthError),
    ("authentication", AuthError),
    ("unauthenticated", AuthError),
    ("unauthorized", AuthError),
    ("autherror", AuthError),
    ("notfounderror", NotFoundError),
    ("modelnotfound", NotFoundError),
    ("unknownmodel", NotFoundError),
    ("invalidmodel", NotFoundError),
    ("modelnotexist", NotFoundError),
    ("modeldisabled", NotFoundError),
    ("modelnotavailable", NotFoundError),
    ("deploymentnotfound", NotFoundError),
    ("ratelimit", RateError),
    ("toomanyrequests", RateError),
    ("concurrentrequests", RateError),  # fal
    ("concurrencylimit", RateError),
    ("throttl", RateError),
    ("parameter", ValidationError),  # unknown, missing, unsupported
    ("unsupportedparam", ValidationError),
    ("unsupportedvalue", ValidationError),
    ("invalidvalue", ValidationError),
    ("invalidsize", ValidationError),
    ("validation", ValidationError),
    ("missingrequired", ValidationError),
)
# Words of messages, as regular expressions, where no code says it. The first that fits counts.
# None may fit a message that only names a parameter, such as `moderation` or `safety_tolerance`.
MODERATION_WORDS = (
    r"content[ _-]?(management )?(policy|policies|filter|filtering|moderation)\b",
    r"\bsafety (system|filters?|checker|checks?|polic(y|ies)|guidelines|reasons|classifier)",
    r"\b(not|un)[ -]?safe (content|prompt|image|input|output)",
    (
        r"(flagged|blocked|rejected|refused|filtered|removed|violat\w+)\b"
        r"[^.]{0,60}\b(moderation|polic(y|ies)|safety|nsfw|guidelines|sensitive|inappropriate"
        r"|explicit|terms of (service|use)|responsible ai)\b"
    ),
    r"\b(prompt|input|output|image|request|content|it) ((was|were|is|has been) )?flagged",
    r"\b(detected|classified|considered|deemed) (as )?(inappropriate|unsafe|sensitive|explicit)\b",
    r"\b(new_sensitive|(in|out)put is sensitive)\b|敏感(内容|信息|词)|不安全.{0,4}内容|违规内容",
    r"(prompt|input|output|image|request|content) (was |is |has been )?moderated",
    r"\bfail\w* (the |our |a )?(moderation|safety|content|nsfw)",
    r"\bmoderation (system|filter|check|blocked|failed|error|rejected|flagged)",
    r"\bnsfw\b[^.]{0,40}(content|detected|found|concept|image)",
    (
        r"\b(sensitive|prohibited|inappropriate|explicit|harmful|disallowed|unsafe|forbidden)"
        r" (content|words?|information|material|imagery)"
    ),
    r"\bresponsible ai\b|\bacceptable use\b|\(E005\)",
)
PAYMENT_WORDS = (
    r"insufficient[ _](user[ _])?(quota|balance|credits?|funds?)",
    r"(not enough|insufficient) (credits?|balance|funds?|money|quota|(api )?tokens)\b",
    r"\bfail(ure|ed) to pay\b|\bunpaid (invoice|bill|balance)|\bpast[ -]due\b",
    (
        r"\b(used up|used all|exhausted|exceeded|consumed)\b[^.]{0,40}"
        r"\b(free|trial|included) ([\w-]+ )?(allocation|allowance|tier|usage)\b"
    ),
    (
        r"\b(credits?|balance|funds|prepayment)\b[^.]{0,40}\b(exhausted|depleted|insufficient"
        r"|too low|used up|run out|empty|negative|exceeded|zero)\b"
    ),
    (
        r"\b(exhausted|depleted|used up|used all|run out of|ran out of|out of|no more|no)"
        r" ([\w-]+ ){0,4}(credits?|balance|funds)\b"
    ),
    r"\b(more|additional|purchase|buy|add) credits?\b",
    r"billing[ _](hard |soft )?limit|check your (plan and )?billing",
    r"billing (is )?(not |in)(active|enabled)|enable billing|billing account",
    (
        r"\b(budget|spend|spending|usage|cost|monthly|credit)[ -]?(hard )?(limit|cap|quota)\b"
        r"[^.]{0,40}\b(reached|exceeded|hit|over)\b"
    ),
    (
        r"\b(reach(ed|ing)|exceed(ed|s|ing)|hit|over)\b[^.]{0,40}"
        r"\b(budget|spend(ing)? (limit|cap)|usage cap|(monthly|credit) (limit|quota))\b"
    ),
    r"\bbudget\b[^.]{0,30}\b(exceeded|exhausted|spent)\b|exceededbudget",
    r"exceeded your current quota",
    r"payment (is |was )?(required|method|failed|overdue)|top[ -]?up\b",
    r"\b(in arrears|arrearage|overdue (payment|balance|bill))\b|余额不足|欠费",
)
KEY_WORDS = (
    (
        r"\b(invalid|incorrect|missing|wrong|unknown|expired|revoked|malformed|no)"
        r" ((api|access|auth\w*|secret|bearer|virtual|proxy|server)[ _-]?){1,3}"
        r"(key|token|credentials?|header)\b"
    ),
    (
        r"\b(api|access|auth\w*|secret|bearer)[ _-]?(key|token|credentials?)\b[^.]{0,30}"
        r"\b(not valid|not found|invalid|incorrect|missing|expired|revoked|disabled|required)\b"
    ),
    r"(didn't|did not) provide an api key|no auth credentials|\blog ?in fail",
    r"\bno connected db\b",  # LiteLLM without a database, to a key that it does not know
    r"\b(not authenticated|unauthenticated|authentication (failed|required|error))\b",
)
MODEL_WORDS = (
    r"\bmodel\b[^.]{0,80}\b(not found|does not exist|not exist|unknown|no longer available)\b",
    r"\b(unknown|no such|invalid|unsupported) model\b|deployment\b[^.]{0,60}not exist",
)
REGION_WORDS = (r"country, region,? or territory",)  # with 403, which is not about the key
RATE_WORDS = (
    r"\b(rate[ -]?limit(ed|s)?|too many requests|throttled)\b",
    (r"\b(concurren(t|cy)|simultaneous|parallel)\b[^.]{0,40}\b(reached|exceed(ed|s)|hit)\b"),
    (
        r"\b(reached|exceed(ed|s)?|hit|over|too many)\b[^.]{0,40}"
        r"\b(concurren(t|cy)|simultaneous|parallel)\b"
    ),
    (
        r"\b(another|other|previous) (request|job|task|generation|image)s? (is|are)"
        r" (already |still )?(running|in progress|being (processed|generated))\b"
    ),
)
WORDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    (ModerationError, MODERATION_WORDS),
    (PaymentError, PAYMENT_WORDS),
    (AuthError, KEY_WORDS),
    (NotFoundError, MODEL_WORDS),
    (ProviderError, REGION_WORDS),
    (RateError, RATE_WORDS),
)
STATUSES: dict[int, Kind] = {
    400: ValidationError,
    401: AuthError,
    402: PaymentError,
    403: AuthError,
    404: NotFoundError,
    405: NotFoundError,
    413: ValidationError,
    422: ValidationError,
    429: RateError,
}
# A gateway that lost its upstream, or gave up waiting, does not know what the upstream has done.
UNCLEAR_PARTS_OF_CODES = (
    "timeout",
    "timedout",
    "connectionerror",
    "connectionreset",
    "dorequestfailed",
)
UNCLEAR_WORDS = (
    r"time[ -]?out|timed[ -]out|deadline exceeded"
    r"|connect(ion)? (error|failure|reset|closed|aborted|lost|broken|refused|terminat\w+|was )"
    r"|disconnect|reset by peer|reset reason|broken pipe|\beconn|\betimedout|hang ?up\b"
    r"|\bdial tcp\b|unexpected eof|prematurely|without sending|fetch failed|network error"
    r"|no response (from|was received)|connection attempts failed"
)
# What a server writes of work that it had begun, or done.
WORK_WORDS = (
    r"\b(crashed|died|killed|out of memory|oom)\b"
    r"|\b(could not|couldn't|cannot|can't|failed to|unable to|(error|failure|fault)( while)?)"
    r" (store|storing|save|saving|upload|uploading|write|writing|decode|decoding|encode|encoding)\b"
    r"|\b(upload|storage|storing|saving|encoding|decoding) (has |was |is )?fail"
    r"|\b(images?|results?|outputs?|latents) (was |were |is |are |has been |have been )?"
    r"(generated|finished|completed|done|made|rendered|ready)\b"
    r"|\b(finished|generated|completed|rendered) (images?|results?|outputs?|latents)\b"
    r"|\b(while|during|after|halfway) (processing|generating|generation|drawing|rendering|inference"
    r"|sampling|denoising|executing|execution|running)\b"
)
# A gateway that found nobody to ask has done nothing.
PLACES = (
    r"(deployments?|upstreams?|workers?|replicas?|runners?|backends?|channels?|instances?"
    r"|servers?|nodes?|hosts?|providers?|endpoints?|capacity|gpus?)"
)
HARMLESS_WORDS = (
    rf"\bno (\w+ )?(healthy|available|active|ready|live|free) (\w+ )?{PLACES}\b"
    rf"|\bno {PLACES}\b[^.]{{0,40}}\b(available|healthy|ready|configured|found)\b"
    rf"|\b(all|every) (\w+ )?{PLACES}\b[^.]{{0,30}}\b(busy|cool\w*|unavailable|unhealthy)\b"
    r"|\bmodel\b[^.]{0,80}\bloading\b|\bqueue (is |was )?full\b"
)
# Pages and words of what stands in front of a server. They say nothing about the key.
FRONT_WORDS = (
    r"\berror (code|reference number):? ?1\d{3}\b|cloudflare|\bwaf\b|web application firewall"
    r"|incapsula|imperva|akamai|captcha|unusual traffic|\bbot\b"
)
# What only names a parameter or a page is left out before words are read.
NAMED = r"\b(fields?|param\w*|arguments?|propert\w+|options?|attributes?):? [`'\"][\w.-]+[`'\"]"
ADDRESS = r"(https?://|\b[\w-]+(\.[\w-]+)+/)[^\s\"'`<>()\\]*"
PLAIN_ON_TLS_WORDS = r"plain http|http request (was sent )?to an? (https|ssl|tls)"
