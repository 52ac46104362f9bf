"""How the options of `core/options.py` are spelled: flags, placeholders, help texts, panels."""
