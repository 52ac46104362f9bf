"""The installed command against programs of others: servers, proxies, and a strict validator.

The other tests play providers themselves, so they cannot show that flux and others agree. Here,
only the end of each chain is ours:

    flux → LiteLLM → our server             test_litellm.py
    flux → Prism → our server               test_openai_document.py
    OpenAI's own client → our server        test_openai_client.py
    flux → nginx → our server               test_nginx.py
    flux → tinyproxy or microsocks → …      test_proxies.py

Prism checks requests and answers against OpenAI's own description of its API. nginx, tinyproxy and
microsocks come from `.ci/install-tools`, everything else from `.ci/install-servers`. Tests of
programs that are not installed are skipped, with the reason.

    .ci/install-servers && pytest -n 2 --dist loadfile tests/real
"""
