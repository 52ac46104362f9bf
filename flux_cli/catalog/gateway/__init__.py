"""What a gateway says about its models: read with tolerance, saved, compared, and never obeyed."""
