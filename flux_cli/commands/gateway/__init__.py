"""What `flux models` does with a gateway's schemas: fetch, save and show them."""
