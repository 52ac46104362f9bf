"""How images say how they were made: written into the five containers without re-encoding, and read back.

`record` is what is known; `xmp` and `tools` are its spellings, ours and other people's; `parts` walks containers,
`embed` and `avif` edit them, `reading` reads them. Which pixels an image has is in `anatomy`, beside this folder.
"""
